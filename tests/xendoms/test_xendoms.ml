(* xendoms as its users meet it: its output compared with Xenctrl's list, its messages and statuses;
   and what it makes of two looks. The program is what the environment variable XENDOMS names. *)

open Xendoms_lib
open World
module Uuid = Xenctrl_domains.Uuid
module Json = Yojson.Safe.Util

(* {1 Running it} *)

let program =
  match Sys.getenv_opt "XENDOMS" with
  | Some program -> program
  | None -> failwith "XENDOMS: which program is to be tested? (see tests/run)"

(* Frozen, so that the program's hypervisor answers as the one of this process. *)
let spec guests = Printf.sprintf "version=%s,domains=%d,clock=frozen" release (guests + 1)

(* This process's, with some variables set. xensim is left to the program to find. *)
let environment variables =
  let name binding = List.hd (String.split_on_char '=' binding) in
  let replaced = "LD_LIBRARY_PATH" :: "XENSIM" :: List.map fst variables in
  Unix.environment () |> Array.to_list
  |> List.filter (fun binding -> not (List.mem (name binding) replaced))
  |> List.append (List.map (fun (name, value) -> name ^ "=" ^ value) variables)
  |> Array.of_list

let read_all channel =
  let buffer = Buffer.create 4096 in
  (try
     while true do
       Buffer.add_channel buffer channel 1
     done
   with End_of_file -> ());
  Buffer.contents buffer

type ended = { status : int; out : string; err : string }

let run ?(variables = []) arguments =
  let err_file = Filename.temp_file "xendoms" ".err" in
  let err = Unix.openfile err_file [ O_WRONLY; O_TRUNC; O_CLOEXEC ] 0o600 in
  let read, write = Unix.pipe ~cloexec:true () in
  let pid =
    Unix.create_process_env program
      (Array.of_list ("xendoms" :: arguments))
      (environment variables) Unix.stdin write err
  in
  Unix.close write;
  Unix.close err;
  let channel = Unix.in_channel_of_descr read in
  let out = read_all channel in
  close_in channel;
  let status =
    match Unix.waitpid [] pid with
    | _, WEXITED status -> status
    | _, (WSIGNALED n | WSTOPPED n) -> Alcotest.failf "a signal, %d" n
  in
  let channel = open_in_bin err_file in
  let err = read_all channel in
  close_in channel;
  Sys.remove err_file;
  { status; out; err }

(* On this hypervisor, or one like it. *)
let run_here ?(variables = []) ?(guests = 0) arguments =
  let variables = if on_sim then ("XENSIM", spec guests) :: variables else variables in
  run ~variables arguments

let check_ended ~status ~out ~err ended =
  check_string "on standard error" err ended.err;
  check_string "on standard output" out ended.out;
  check_int "status" status ended.status

let output ended =
  check_string "nothing on standard error" "" ended.err;
  check_int "status" 0 ended.status;
  ended.out

let with_same_guests guests f =
  if on_sim then begin
    Test_support.Xensim.configure (spec guests);
    f (Xenctrl.interface_open ())
  end
  else with_guests guests f

(* Ordered by domid. *)
let listed h = Xenctrl.domain_getinfolist h 0

(* {1 The list} *)

let word_states (d : Xenctrl.domaininfo) =
  List.filter_map
    (fun (holds, word) -> if holds then Some word else None)
    [
      (d.running, "running"); (d.blocked, "blocked"); (d.paused, "paused");
      (d.shutdown, "shutdown"); (d.shutdown && d.shutdown_code = 3, "crashed"); (d.dying, "dying");
    ]

(* What changes by itself in a real Xen. *)
let steady words = if on_sim then words else List.filter (fun w -> w <> "running" && w <> "blocked") words

let check_json (d : Xenctrl.domaininfo) json =
  let at name = Json.member name json in
  let kib pages = Int64.to_int (Xenctrl.pages_to_kib (Int64.of_nativeint pages)) in
  Alcotest.(check (list string))
    "all there is"
    [
      "domid"; "name"; "uuid"; "states"; "shutdown_reason"; "hvm"; "memory_kib"; "max_memory_kib";
      "vcpus"; "cpu_time_ns";
    ]
    (Json.keys json);
  check_int "domid" d.domid (Json.to_int (at "domid"));
  check_bool "name" true (at "name" = `Null);
  check_string "uuid" (Uuid.to_string (Uuid.of_handle d.handle)) (Json.to_string (at "uuid"));
  Alcotest.(check (list string))
    "states"
    (steady (word_states d))
    (steady (List.map Json.to_string (Json.to_list (at "states"))));
  check_bool "shutdown_reason" true
    (at "shutdown_reason"
    =
    if not d.shutdown then `Null
    else
      match d.shutdown_code with
      | 0 -> `String "poweroff"
      | 1 -> `String "reboot"
      | 2 -> `String "suspend"
      | 3 -> `String "crash"
      | 4 -> `String "watchdog"
      | 5 -> `String "soft_reset"
      | n -> `Int n);
  check_bool "hvm" d.hvm_guest (Json.to_bool (at "hvm"));
  check_int "max_memory_kib" (kib d.max_memory_pages) (Json.to_int (at "max_memory_kib"));
  check_int "memory_kib" (kib d.total_memory_pages) (Json.to_int (at "memory_kib"));
  check_int "vcpus" d.nr_online_vcpus (Json.to_int (at "vcpus"));
  if on_sim then check_int "cpu_time_ns" (Int64.to_int d.cpu_time) (Json.to_int (at "cpu_time_ns"))

let test_json () =
  List.iter
    (fun guests ->
      with_same_guests guests (fun h ->
          let out = output (run_here ~guests [ "--json" ]) in
          let objects = Json.to_list (Yojson.Safe.from_string out) in
          let list = listed h in
          check_int "how many" (List.length list) (List.length objects);
          List.iter2 check_json list objects))
    (List.filter (fun n -> n <= most_guests) [ 0; 1; 100; 1000 ])

let lines text = String.split_on_char '\n' (String.trim text)

(* Columns are two blanks apart, and no cell of these has a blank. *)
let cells line = List.filter (( <> ) "") (String.split_on_char ' ' line)

let check_line (d : Xenctrl.domaininfo) line =
  let letter (word, letter) = if List.mem word (word_states d) then letter else '-' in
  let letters =
    List.to_seq
      [
        ("running", 'r'); ("blocked", 'b'); ("paused", 'p'); ("shutdown", 's'); ("crashed", 'c');
        ("dying", 'd');
      ]
    |> Seq.map letter |> String.of_seq
  in
  let expected =
    [
      (if d.domid = 0 then "Domain-0" else "-");
      string_of_int d.domid;
      Uuid.to_string (Uuid.of_handle d.handle);
      letters;
      Int64.to_string (Xenctrl.pages_to_mib (Int64.of_nativeint d.total_memory_pages));
      string_of_int d.nr_online_vcpus;
      Printf.sprintf "%.1f" (Int64.to_float d.cpu_time /. 1e9);
    ]
  in
  let known cells = if on_sim then cells else List.filteri (fun i _ -> i <> 3 && i <> 6) cells in
  Alcotest.(check (list string)) "line" (known expected) (known (cells line))

let test_table () =
  let guests = min most_guests 1000 in
  with_same_guests guests (fun h ->
      match lines (output (run_here ~guests [])) with
      | [] -> Alcotest.fail "nothing"
      | titles :: rows ->
        Alcotest.(check (list string))
          "titles"
          [ "NAME"; "ID"; "UUID"; "STATE"; "MEM(MiB)"; "VCPUS"; "TIME(s)" ]
          (cells titles);
        let width = String.length titles in
        List.iter (fun row -> check_int "all as wide" width (String.length row)) rows;
        let list = listed h in
        check_int "how many" (List.length list) (List.length rows);
        List.iter2 check_line list rows)

let test_uuid () =
  let guests = 30 in
  with_same_guests guests (fun h ->
      let d = List.nth (listed h) 17 in
      let uuid = Uuid.to_string (Uuid.of_handle d.handle) in
      (match lines (output (run_here ~guests [ String.uppercase_ascii uuid ])) with
      | [ _; row ] -> check_line d row
      | _ -> Alcotest.fail "not one row");
      (match Yojson.Safe.from_string (output (run_here ~guests [ "--json"; uuid ])) with
      | `List [ json ] -> check_json d json
      | _ -> Alcotest.fail "not one object");
      let absent = "00000000-0000-0000-0000-00000000dead" in
      run_here ~guests [ absent ]
      |> check_ended ~status:1 ~out:"" ~err:("xendoms: no domain has the UUID " ^ absent ^ "\n");
      run_here ~guests [ absent; "--json" ] |> check_ended ~status:1 ~out:"[]\n" ~err:"")

(* As during a migration to the same host. *)
let test_several () =
  with_guests 3 (fun h ->
      Xenctrl.domain_sethandle h 2 (Uuid.to_string Uuid.nil);
      let rows = lines (output (run [ Uuid.to_string Uuid.nil ])) in
      Xenctrl.domain_sethandle h 2 (uuid_of_domid 2);
      Alcotest.(check (list string))
        "domids" [ "0"; "2" ]
        (List.map (fun row -> List.nth (cells row) 1) (List.tl rows)))

(* {1 Names} *)

let test_names () =
  let value = function
    | "/local/domain/1/name" -> Some "größer"
    | "/local/domain/2/name" -> Some "evil\027[2J\n\xc2\x9b\xff\"name"
    | "/local/domain/3/name" -> Some ""
    | _ -> None
  in
  let u_rep = "\xef\xbf\xbd" in
  let evil = Printf.sprintf "evil%s[2J%s%s%s\"name" u_rep u_rep u_rep u_rep in
  let guests = 4 in
  let ended arguments =
    Fake_xenstored.(with_ (answer value)) (fun () ->
        let variables = [ ("XENSTORED_PATH", Sys.getenv "XENSTORED_PATH") ] in
        output (run_here ~variables ~guests arguments))
  in
  with_same_guests guests (fun _ ->
      let rows = List.tl (lines (ended [])) in
      Alcotest.(check (list string))
        "in the table" [ "Domain-0"; "größer"; evil; "-"; "-" ]
        (List.map (fun row -> List.hd (cells row)) rows);
      (* In characters, not bytes. *)
      let column row = Str.search_forward (Str.regexp "[0-9a-f]*-[0-9a-f]*-") row 0 in
      let characters row = Uutf.String.fold_utf_8 (fun n _ _ -> n + 1) 0 row in
      List.iter
        (fun row ->
          check_int "aligned"
            (column (List.hd rows))
            (characters (String.sub row 0 (column row))))
        rows;
      let objects = Json.to_list (Yojson.Safe.from_string (ended [ "--json" ])) in
      check_bool "as JSON" true
        (List.map (Json.member "name") objects
        = [ `Null; `String "größer"; `String evil; `String ""; `Null ]))

(* The table is there all the same. *)
let test_no_names () =
  let variables = [ ("XENSTORED_PATH", "/nonexistent") ] in
  with_same_guests 2 (fun h ->
      let check variables =
        let rows = List.tl (lines (output (run_here ~variables ~guests:2 []))) in
        List.iter2 check_line (listed h) rows
      in
      check variables;
      (* Nobody answers: a second is waited. *)
      Fake_xenstored.with_ (fun _ -> []) (fun () ->
          check [ ("XENSTORED_PATH", Sys.getenv "XENSTORED_PATH") ]))

(* {1 Where nothing can be listed} *)

let simulated ?(variables = []) spec arguments =
  run ~variables:(("XENSIM", "version=" ^ release ^ "," ^ spec) :: variables) arguments

let cannot = "xendoms: the hypervisor cannot be asked: "

let test_refusals () =
  List.iter
    (fun arguments ->
      run arguments
      |> check_ended ~status:2 ~out:""
           ~err:
             (cannot
            ^ "Unable to open XC interface: 2: No such file or directory\n\
               Is this dom0 of a Xen host? Elsewhere xensim simulates one: set XENSIM, for example \
               to domains=20.\n");
      simulated "privileged=no" arguments
      |> check_ended ~status:2 ~out:""
           ~err:(cannot ^ "1: Operation not permitted\nDomains are listed by root in dom0.\n");
      simulated "version=5.0" arguments
      |> check_ended ~status:2 ~out:""
           ~err:
             (cannot
            ^ "Unable to open XC interface: found Xen 5.0, supported are Xen 4.17 to 4.22\n"))
    [ []; [ "--json" ]; [ "--watch" ]; [ "00000000-0000-0000-0000-000000000000" ] ];
  let mistake = simulated "mistake=1" [] in
  check_int "a mistake in XENSIM" 2 mistake.status;
  check_prefix "xensim: XENSIM: " mistake.err

(* The device that has no room. *)
let test_full () =
  List.iter
    (fun arguments ->
      let command =
        Printf.sprintf "XENSIM=domains=3 %s %s 2>&1 >/dev/full" (Filename.quote program) arguments
      in
      let channel = Unix.open_process_in command in
      let err = read_all channel in
      check_bool arguments true (Unix.close_process_in channel = WEXITED 123);
      check_string arguments "xendoms: No space left on device\n" err)
    [ ""; "--json"; "--watch" ]

(* {1 Finding xensim} *)

let xensim_dir = List.hd (String.split_on_char ':' (try Sys.getenv "LD_LIBRARY_PATH" with Not_found -> ""))

let test_xensim () =
  let works variables = ignore (output (simulated ~variables "domains=3" [])) in
  works [ ("XENSIM_DIR", xensim_dir) ];
  (* A path that is there already is kept, xensim's directory goes before it. *)
  works [ ("LD_LIBRARY_PATH", "/nonexistent:") ];
  works [ ("LD_LIBRARY_PATH", xensim_dir); ("XENSIM_DIR", "/nonexistent") ];
  let where dir =
    Printf.sprintf
      "xendoms: XENSIM is set, but there is no xensim in %s (a checkout's `make sim' builds it; \
       XENSIM_DIR names its directory)\n"
      dir
  in
  List.iter
    (fun dir ->
      simulated ~variables:[ ("XENSIM_DIR", dir) ] "domains=3" []
      |> check_ended ~status:2 ~out:"" ~err:(where dir))
    [ "/nonexistent"; "/usr/lib/x86_64-linux-gnu" ];
  (* As installed: bin/xendoms and lib/xensim. *)
  let root = Filename.temp_file "xendoms" ".prefix" in
  Sys.remove root;
  let sh fmt =
    Printf.ksprintf (fun command -> check_int command 0 (Sys.command command)) fmt
  in
  let quote = Filename.quote in
  sh "mkdir -p %s/bin %s/lib && cp %s %s/bin/xendoms" root root (quote program) root;
  let installed () =
    let command =
      Printf.sprintf "env -u LD_LIBRARY_PATH XENSIM=domains=3 %s/bin/xendoms 2>&1" root
    in
    let channel = Unix.open_process_in command in
    let out = read_all channel in
    (Unix.close_process_in channel, out)
  in
  (match installed () with
  | WEXITED 2, out -> check_string "without" (where (root ^ "/lib/xensim")) out
  | _ -> Alcotest.fail "it ran without xensim");
  sh "cp -a %s %s/lib/xensim" (quote xensim_dir) root;
  (match installed () with
  | WEXITED 0, out -> check_int "with" 4 (List.length (lines out))
  | _, out -> Alcotest.fail out);
  sh "rm -r %s" root

(* {1 Usage} *)

let test_usage () =
  List.iter
    (fun arguments -> check_int (String.concat " " arguments) 124 (run arguments).status)
    [
      [ "no UUID" ]; [ "--json"; "--watch" ]; [ "--watch=0" ]; [ "--watch=nan" ]; [ "--watch=x" ];
      [ "--rounds=2" ]; [ "--watch"; "--rounds=0" ]; [ "--none" ];
      [ Uuid.to_string Uuid.nil; Uuid.to_string Uuid.nil ];
    ];
  let help = output (run [ "--help=plain" ]) in
  List.iter
    (fun part ->
      match Str.search_forward (Str.regexp_string part) help 0 with
      | _ -> ()
      | exception Not_found -> Alcotest.failf "the manual lacks %S" part)
    [ "EXIT STATUS"; "XENSIM_DIR"; "XENSTORED_PATH"; "--watch[=SECONDS]"; "if no domain has the UUID" ]

(* {1 Watching} *)

let titles = [ "NAME"; "ID"; "UUID"; "STATE"; "MEM(MiB)"; "VCPUS"; "TIME(s)"; "CPU(%)" ]

(* Tables of an output that is no terminal, each of rows of cells. *)
let tables out =
  Str.split (Str.regexp "^[0-9][0-9]:[0-9][0-9]:[0-9][0-9] .*\n\n") out
  |> List.map (fun table -> List.map cells (lines table))

let test_rounds () =
  let watch spec arguments =
    let ended = simulated spec ([ "--watch=0.1"; "--rounds=2" ] @ arguments) in
    match tables (output ended) with
    | [ first; second ] ->
      List.iter
        (fun table -> Alcotest.(check (list string)) "titles" titles (List.hd table))
        [ first; second ];
      (List.tl first, List.tl second)
    | tables -> Alcotest.failf "%d tables" (List.length tables)
  in
  let first, second = watch "domains=5,grow=1" [] in
  check_int "first" 5 (List.length first);
  check_int "second" 6 (List.length second);
  (* No percentage yet; dom0 runs, so that it has one. *)
  List.iter (fun row -> check_string "first" "-" (List.nth row 7)) first;
  check_bool "dom0" true (float_of_string (List.nth (List.hd second) 7) > 0.);
  let new_row = List.nth second 5 in
  check_string "marked" "+" (List.hd new_row);
  check_string "no percentage" "-" (List.nth new_row 8);
  check_string "nor is there one when time stands still" "0.0"
    (List.nth (List.hd (snd (watch "domains=2,clock=frozen" []))) 7);
  let nil = Uuid.to_string Uuid.nil in
  let first, second = watch "domains=5,grow=1" [ nil ] in
  List.iter (fun table -> check_int "one domain" 1 (List.length table)) [ first; second ]

let mark (row : Table.row) =
  match row.mark with
  | Unmarked -> ""
  | Appeared -> "+"
  | Gone -> "-"
  | Shut_down -> "!"

(* What two looks show of changes in between, in one process. *)
let test_changes () =
  with_guests 6 (fun h ->
      let before = Watch.look h in
      Alcotest.(check (list string))
        "at first nothing is marked"
        (List.init 7 (fun _ -> ""))
        (List.map mark (Watch.rows ~before:None ~after:before));
      Xenctrl.domain_sethandle h 2 "deadbeef-dead-4ead-8ead-beef00000001";
      Xenctrl.domain_destroy h 3;
      Hashtbl.remove made 3;
      Xenctrl.domain_shutdown h 4 Xenctrl.Crash;
      let created = create h ~domid:99 99 in
      wait_until "the end of a domain" (fun () ->
          not (List.exists (fun (d : Xenctrl.domaininfo) -> d.domid = 3) (listed h)));
      let after = Watch.look h in
      let rows = Watch.rows ~before:(Some before) ~after in
      Alcotest.(check (list (pair int string)))
        "marks"
        [
          (0, ""); (1, ""); (2, "+"); (2, "-"); (3, "-"); (4, "!"); (5, ""); (6, ""); (created, "+");
        ]
        (List.map (fun (row : Table.row) -> (row.domain.domid, mark row)) rows);
      List.iter
        (fun (row : Table.row) ->
          let known = mark row = "" || mark row = "!" in
          check_bool "percentages" known (row.cpu <> None);
          Option.iter (fun cpu -> check_bool "not negative" true (cpu >= 0.)) row.cpu)
        rows;
      let text = Fmt.str "%a" (Table.pp Watched) rows in
      check_int "lines" 10 (List.length (lines text));
      (* The marked rows are the last to be left out. *)
      let limited limit = lines (Fmt.str "%a" (Table.pp ~limit Watched) rows) in
      let chosen limit =
        List.filter_map
          (fun line ->
            match line.[0] with
            | '+' | '-' | '!' -> Some line.[0]
            | _ -> None)
          (limited limit)
      in
      List.iter
        (fun (limit, marked, more) ->
          check_int "lines" limit (List.length (limited limit));
          check_int "marked" marked (List.length (chosen limit));
          check_string "more"
            (Printf.sprintf "... %d more" more)
            (List.nth (limited limit) (limit - 1)))
        [ (9, 5, 2); (7, 5, 4); (6, 4, 5); (3, 1, 8) ];
      check_int "all fit" 10 (List.length (limited 10));
      (* Styles only where they are wanted. *)
      let styled renderer =
        let buffer = Buffer.create 1000 in
        let ppf = Format.formatter_of_buffer buffer in
        Fmt.set_style_renderer ppf renderer;
        Table.pp Watched ppf rows;
        Fmt.flush ppf ();
        Buffer.contents buffer
      in
      check_bool "plain" false (String.contains (styled `None) '\027');
      List.iter
        (fun sequence ->
          match Str.search_forward (Str.regexp_string sequence) (styled `Ansi_tty) 0 with
          | _ -> ()
          | exception Not_found -> Alcotest.failf "no %S" sequence)
        [ "\027[32m"; "\027[31m"; "\027[33m" ];
      Xenctrl.domain_destroy h created;
      Xenctrl.domain_sethandle h 2 (uuid_of_domid 2))

(* Its terminal goes away while it watches, as usual and under nohup. *)
let test_hangup () =
  let hung_up behaviour =
    let before = Sys.signal Sys.sighup behaviour in
    let read, write = Unix.pipe ~cloexec:true () in
    let pid =
      Unix.create_process_env program
        [| "xendoms"; "--watch=0.2"; "--rounds=3" |]
        (environment [ ("XENSIM", "domains=3") ])
        Unix.stdin write Unix.stderr
    in
    Sys.set_signal Sys.sighup before;
    Unix.close write;
    let channel = Unix.in_channel_of_descr read in
    ignore (input_line channel);
    Unix.kill pid Sys.sighup;
    let rest = read_all channel in
    close_in channel;
    (snd (Unix.waitpid [] pid), rest)
  in
  check_bool "ended by the signal" true (fst (hung_up Signal_default) = WSIGNALED Sys.sighup);
  let status, rest = hung_up Signal_ignore in
  check_bool "not ended by it" true (status = WEXITED 0);
  check_int "the other rounds" 2 (List.length (tables rest) - 1)

(* In a real Xen, where another process makes the changes that the program is to see. *)
let test_watched () =
  with_guests 3 (fun h ->
      let read, write = Unix.pipe ~cloexec:true () in
      let pid =
        Unix.create_process program [| "xendoms"; "--watch=0.2" |] Unix.stdin write Unix.stderr
      in
      Unix.close write;
      let channel = Unix.in_channel_of_descr read in
      let rec until condition =
        match cells (input_line channel) with
        | row when condition row -> ()
        | _ -> until condition
        | exception End_of_file -> Alcotest.fail "the program ended"
      in
      let uuid = uuid_of_domid 77 in
      until (fun row -> row = titles);
      let domid = create h 77 in
      until (function
        | "+" :: _ :: id :: u :: _ -> id = string_of_int domid && u = uuid
        | _ -> false);
      Xenctrl.domain_shutdown h domid Xenctrl.Poweroff;
      until (function
        | "!" :: _ :: id :: _ -> id = string_of_int domid
        | _ -> false);
      Xenctrl.domain_destroy h domid;
      until (function
        | "-" :: _ :: id :: u :: _ -> id = string_of_int domid && u = uuid
        | _ -> false);
      Unix.kill pid Sys.sigterm;
      check_bool "ended by the signal" true (snd (Unix.waitpid [] pid) = WSIGNALED Sys.sigterm);
      close_in channel)

let () =
  let real_only tests = if on_sim then [] else tests in
  Alcotest.run "xendoms"
    ([
       ( "list",
         [ test "table" test_table; test "JSON" test_json; test "UUID" test_uuid ]
         @ real_only [ test "two domains of one UUID" test_several ] );
       ("names", [ test "names" test_names; test "no names" test_no_names ]);
       ("usage", [ test "usage" test_usage ]);
       ( "watch",
         [ test "changes" test_changes ]
         @ sim_only [ test "rounds" test_rounds; test "hangup" test_hangup ]
         @ real_only [ test "by another process" test_watched ] );
     ]
    @ sim_only
        [
          ( "refusals",
            [
              test "no Xen, no right, no release" test_refusals; test "no room" test_full;
              test "where xensim is" test_xensim;
            ] );
        ])
