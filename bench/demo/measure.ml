module Counters = Test_support.Counters

type way = {
  name : string;
  call : unit -> unit;
}

type cost = {
  way : way;
  hypercalls : int option;
  list_hypercalls : int option;
  mappings : int option;
  words : int;
  calls : int;
  median : float;
  mean : float;
  least : float;
}

let repeat n f =
  for _ = 1 to n do
    f ()
  done

let counter name =
  match Counters.source () with
  | `None -> None
  | `Xensim | `Preload -> Some (Counters.get name)

(* --- counts ---------------------------------------------------------------------- *)

type counts = {
  all : int option;
  lists : int option;
  maps : int option;
}

let counts f =
  Counters.reset ();
  f ();
  {
    all = counter "hypercalls";
    lists = counter "sysctl.getdomaininfolist";
    maps = counter "mappings";
  }

(* Of several calls the one in the middle: a language runtime may map memory of its
   own during one of them. *)
let counts_of_call call =
  let several = List.init 3 (fun _ -> counts call) in
  let middle field = List.nth (List.sort compare (List.map field several)) 1 in
  {
    all = middle (fun c -> c.all);
    lists = middle (fun c -> c.lists);
    maps = middle (fun c -> c.maps);
  }

(* What is promoted was counted when it was new. *)
let words_of_call call =
  let calls = 3 in
  let directly_major (s : Gc.stat) = s.major_words -. s.promoted_words in
  let major_before = directly_major (Gc.quick_stat ()) in
  let minor_before = Gc.minor_words () in
  repeat calls call;
  let minor = Gc.minor_words () -. minor_before in
  let major = directly_major (Gc.quick_stat ()) -. major_before in
  Float.to_int ((minor +. major) /. Float.of_int calls)

(* --- time ------------------------------------------------------------------------ *)

let microseconds_of f = Clock.seconds_of f *. 1e6

let shuffle random order =
  for i = Array.length order - 1 downto 1 do
    let j = Random.State.int random (i + 1) in
    let there = order.(j) in
    order.(j) <- order.(i);
    order.(i) <- there
  done

(* Calls of one way in a row. The first of them finds the caches, and an emulator's
   tables, full of another way's data; most do not. *)
let in_a_row = 5

(* For each way the times of its calls. *)
let timed ?calls ~seconds ways =
  let ways = Array.of_list ways in
  let most = Option.value calls ~default:1000 in
  let times = Array.map (fun _ -> Float.Array.make most 0.) ways in
  let order = Array.init (Array.length ways) Fun.id in
  let random = Random.State.make [| 1 |] in
  let until = Clock.nanoseconds () + Float.to_int (seconds *. 1e9) in
  let time_way first last i =
    for call = first to last do
      Float.Array.set times.(i) call (microseconds_of ways.(i).call)
    done
  in
  let rec take_turns made =
    let overdue = calls = None && Clock.nanoseconds () > until in
    if made = most || (made > 0 && overdue) then made
    else begin
      let next = min most (made + in_a_row) in
      shuffle random order;
      Array.iter (time_way made (next - 1)) order;
      take_turns next
    end
  in
  let made = take_turns 0 in
  List.map (fun t -> Float.Array.sub t 0 made) (Array.to_list times)

let costs ?calls ~seconds ways =
  (* Once each: buffers grow to their size. *)
  List.iter (fun way -> way.call ()) ways;
  let counted =
    List.map (fun way -> (counts_of_call way.call, words_of_call way.call)) ways
  in
  let times = timed ?calls ~seconds ways in
  List.map2
    (fun way ((counts, words), times) ->
      Float.Array.sort compare times;
      let calls = Float.Array.length times in
      {
        way;
        hypercalls = counts.all;
        list_hypercalls = counts.lists;
        mappings = counts.maps;
        words;
        calls;
        median = Float.Array.get times (calls / 2);
        mean = Float.Array.fold_left ( +. ) 0. times /. Float.of_int calls;
        least = Float.Array.get times 0;
      })
    ways
    (List.combine counted times)

(* --- memory ---------------------------------------------------------------------- *)

(* In KiB, without garbage, whose amount goes up and down. *)
let resident () =
  Gc.compact ();
  let value line =
    try Some (Scanf.sscanf line "VmRSS: %d kB" Fun.id)
    with Scanf.Scan_failure _ | End_of_file -> None
  in
  let rec find file =
    match input_line file with
    | exception End_of_file -> None
    | line -> (
      match value line with
      | Some _ as found -> found
      | None -> find file)
  in
  match open_in "/proc/self/status" with
  | exception Sys_error _ -> None
  | file -> Fun.protect ~finally:(fun () -> close_in file) (fun () -> find file)

type long_run = {
  total_calls : int;
  total_hypercalls : int option;
  total_mappings : int option;
  growth : int option;
  each : float;
}

let long_run ~calls way =
  (* The same once before, so that the heap and malloc settle. *)
  ignore (resident ());
  repeat calls way.call;
  let before = resident () in
  let elapsed = ref 0. in
  let counts =
    counts (fun () ->
        elapsed := microseconds_of (fun () -> repeat calls way.call))
  in
  let growth =
    match (before, resident ()) with
    | Some before, Some after -> Some (after - before)
    | _ -> None
  in
  {
    total_calls = calls;
    total_hypercalls = counts.all;
    total_mappings = counts.maps;
    growth;
    each = !elapsed /. Float.of_int calls;
  }
