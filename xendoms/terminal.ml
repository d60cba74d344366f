type t = {
  screen : bool;
  keys : Unix.terminal_io option;  (** What standard input was, if it is a terminal. *)
  mutable size : int option;
  signals : Unix.file_descr;  (** A byte for each signal. *)
}

type event = Timeout | Redraw | Quit | Signal of int

let is_screen t = t.screen
let lines t = t.size

let print text =
  print_string text;
  flush stdout

(* {1 The screen}

   Control sequences that all terminals of today have: the alternate screen, the cursor, and
   whether long lines go on in the next. *)

(* A signal may arrive meanwhile, such as that of another change of size. *)
let rec wait_for pid =
  match Unix.waitpid [] pid with
  | _ -> ()
  | exception Unix.Unix_error (EINTR, _, _) -> wait_for pid

(* What stty says of the terminal, if there is an stty. *)
let ask_stty () =
  let read, write = Unix.pipe ~cloexec:true () in
  let channel = Unix.in_channel_of_descr read in
  Fun.protect
    ~finally:(fun () -> close_in channel)
    (fun () ->
      let pid =
        Fun.protect
          ~finally:(fun () -> Unix.close write)
          (fun () ->
            let null = Unix.openfile "/dev/null" [ O_WRONLY; O_CLOEXEC ] 0 in
            Fun.protect
              ~finally:(fun () -> Unix.close null)
              (fun () ->
                Unix.create_process "stty" [| "stty"; "size" |] Unix.stdout write null))
      in
      let answer = try input_line channel with End_of_file -> "" in
      wait_for pid;
      answer)

let read_size () =
  match Scanf.sscanf (ask_stty ()) "%d %d" (fun lines _ -> lines) with
  | 0 -> None
  | lines -> Some lines
  | exception (Unix.Unix_error _ | End_of_file | Scanf.Scan_failure _ | Failure _) -> None

let enter t =
  (match t.keys with
  | Some before ->
    Unix.tcsetattr Unix.stdin TCSANOW
      { before with c_icanon = false; c_echo = false; c_vmin = 1; c_vtime = 0 }
  | None -> ());
  if t.screen then begin
    t.size <- read_size ();
    print "\027[?1049h\027[?25l\027[?7l"
  end

let leave t =
  if t.screen then print "\027[?7h\027[?25h\027[?1049l";
  Option.iter (Unix.tcsetattr Unix.stdin TCSANOW) t.keys

let draw t text =
  if not t.screen then print text
  else begin
    let lines = String.split_on_char '\n' text in
    let lines = List.filteri (fun i _ -> i < List.length lines - 1) lines in
    let frame = String.concat "\027[K\n" lines in
    print ("\027[H" ^ frame ^ "\027[K\027[J")
  end

(* {1 Signals} *)

(* Of Linux; OCaml has no name for it. *)
let sigwinch = 28
let endings = [ Sys.sigint; Sys.sigterm; Sys.sighup; Sys.sigquit ]

(* What arrived and has not been looked at. *)
let ending = ref None
let stopped = ref false
let resized = ref false

(* A handler only takes a note and wakes [wait], which cannot miss it: the byte stays in the pipe. *)
let install wake =
  let note f =
    Sys.Signal_handle
      (fun signal ->
        f signal;
        try ignore (Unix.write_substring wake "!" 0 1) with Unix.Unix_error _ -> ())
  in
  let set (signal, behaviour) =
    let before = Sys.signal signal behaviour in
    (* By nohup, who wants to go on without the terminal. *)
    if signal = Sys.sighup && before = Sys.Signal_ignore then Sys.set_signal signal before;
    (signal, before)
  in
  List.map set
    ((sigwinch, note (fun _ -> resized := true))
    :: (Sys.sigtstp, note (fun _ -> stopped := true))
    :: List.map (fun signal -> (signal, note (fun signal -> ending := Some signal))) endings)

let die signal =
  Sys.set_signal signal Signal_default;
  Unix.kill (Unix.getpid ()) signal;
  exit 125

let with_ f =
  let signals, wake = Unix.pipe ~cloexec:true () in
  Unix.set_nonblock wake;
  Unix.set_nonblock signals;
  let screen = Unix.isatty Unix.stdout && Sys.getenv_opt "TERM" <> Some "dumb" in
  let keys =
    if screen && Unix.isatty Unix.stdin then Some (Unix.tcgetattr Unix.stdin) else None
  in
  let t = { screen; keys; size = None; signals } in
  let before = install wake in
  Fun.protect
    ~finally:(fun () ->
      leave t;
      List.iter (fun (signal, behaviour) -> Sys.set_signal signal behaviour) before;
      Unix.close signals;
      Unix.close wake)
    (fun () ->
      enter t;
      f t)

(* {1 Events} *)

let drain fd =
  let bytes = Bytes.create 64 in
  try ignore (Unix.read fd bytes 0 64) with Unix.Unix_error _ -> ()

let take flag =
  let value = !flag in
  flag := false;
  value

let noted t =
  drain t.signals;
  match !ending with
  | Some signal -> Some (Signal signal)
  | None ->
    if take stopped then begin
      leave t;
      Unix.kill (Unix.getpid ()) Sys.sigstop;
      enter t;
      Some Redraw
    end
    else if take resized then begin
      t.size <- read_size ();
      Some Redraw
    end
    else None

(* Nothing more to read is not the end: standard input may be closed. *)
let key t =
  let bytes = Bytes.create 1 in
  match (t.keys, Unix.read Unix.stdin bytes 0 1) with
  | Some keys, 1 ->
    let key = Bytes.get bytes 0 in
    if key = 'q' || key = keys.c_veof then Some Quit else None
  | _ -> None
  | exception Unix.Unix_error _ -> None

let wait t seconds =
  let started = Mtime_clock.counter () in
  let rec wait ~keys =
    let left = Float.max 0. (seconds -. Span.to_seconds (Mtime_clock.count started)) in
    let stdin = if keys then [ Unix.stdin ] else [] in
    match Unix.select (t.signals :: stdin) [] [] left with
    | [], _, _ -> Timeout
    | ready, _, _ -> (
      let event = if List.mem t.signals ready then noted t else key t in
      match event with
      | Some event -> event
      | None -> wait ~keys)
    | exception Unix.Unix_error (EINTR, _, _) -> wait ~keys
  in
  wait ~keys:(t.keys <> None)
