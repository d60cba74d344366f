module Counters = Test_support.Counters

type counts = {
  hypercalls : int option;
  list_hypercalls : int option;
  mappings : int option;
  words : int;
}

type way = {
  name : string;
  caller : unit -> unit -> unit;
  counts : counts Lazy.t;
}

type spread = {
  least : float;
  lower : float;
  median : float;
  upper : float;
  mean : float;
}

type cost = {
  way : way;
  calls : int;
  time : spread;
  cpu : float Lazy.t;
  turns : float list;
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

let counted names f =
  Counters.reset ();
  f ();
  List.map counter names

(* What is promoted was counted when it was new. *)
let words_of calls call =
  let directly_major (s : Gc.stat) = s.major_words -. s.promoted_words in
  let major_before = directly_major (Gc.quick_stat ()) in
  let minor_before = Gc.minor_words () in
  repeat calls call;
  let minor = Gc.minor_words () -. minor_before in
  let major = directly_major (Gc.quick_stat ()) -. major_before in
  (* OCaml 5 counts the two at different times. *)
  Float.to_int ((minor +. Float.max 0. major) /. Float.of_int calls)

let counts caller =
  let call = caller () in
  (* Once before: buffers grow to their size. *)
  let slow = Clock.seconds_of call > 0.2 in
  let calls = if slow then 1 else 3 in
  let names = [ "hypercalls"; "sysctl.getdomaininfolist"; "mappings" ] in
  let several = List.init calls (fun _ -> counted names call) in
  let ascending i = List.sort compare (List.map (fun c -> List.nth c i) several) in
  let most i = List.nth (ascending i) (calls - 1) in
  {
    hypercalls = most 0;
    list_hypercalls = most 1;
    (* A language runtime may map memory of its own during one of them. *)
    mappings = List.nth (ascending 2) (calls / 2);
    words = words_of calls call;
  }

let way name caller = { name; caller; counts = lazy (counts caller) }

let dropping name prepare =
  way name (fun () ->
      let f = prepare () in
      fun () -> ignore (Sys.opaque_identity (f ())))

let keeping name prepare =
  way name (fun () ->
      let f = prepare () in
      let kept = ref (Obj.repr 0) in
      fun () -> kept := Obj.repr (Sys.opaque_identity (f ())))

(* --- time ------------------------------------------------------------------------ *)

let microseconds_of f = Clock.seconds_of f *. 1e6

(* Takes a sorted array. *)
let spread sorted =
  let n = Array.length sorted in
  if n = 0 then { least = nan; lower = nan; median = nan; upper = nan; mean = nan }
  else
    {
      least = sorted.(0);
      lower = sorted.(n / 4);
      median = sorted.(n / 2);
      upper = sorted.(3 * n / 4);
      mean = Array.fold_left ( +. ) 0. sorted /. Float.of_int n;
    }

let spread_of_list list =
  let array = Array.of_list list in
  Array.sort compare array;
  spread array

let shuffle random order =
  for i = Array.length order - 1 downto 1 do
    let j = Random.State.int random (i + 1) in
    let there = order.(j) in
    order.(j) <- order.(i);
    order.(i) <- there
  done

(* The time of [calls] calls by each of several threads, per call. They begin together. *)
let sample_of_threads callers calls =
  let mutex = Mutex.create () and condition = Condition.create () in
  let go = ref false in
  let finished = ref 0 in
  let work call () =
    Mutex.lock mutex;
    while not !go do
      Condition.wait condition mutex
    done;
    Mutex.unlock mutex;
    repeat calls call;
    finished := max !finished (Clock.nanoseconds ())
  in
  let threads = List.map (fun call -> Thread.create (work call) ()) callers in
  Mutex.lock mutex;
  go := true;
  let start = Clock.nanoseconds () in
  Condition.broadcast condition;
  Mutex.unlock mutex;
  List.iter Thread.join threads;
  Float.of_int (!finished - start)
  /. 1e3
  /. Float.of_int (calls * List.length callers)

let sample callers calls =
  match callers with
  | [ call ] when calls = 1 -> microseconds_of call
  | [ call ] -> microseconds_of (fun () -> repeat calls call) /. Float.of_int calls
  | callers -> sample_of_threads callers calls

(* In microseconds. A call that takes so long is timed by itself: what it takes to read the
   clock is little against it. *)
let long_call = 5.

(* Otherwise a sample takes so long; with threads longer, as starting them takes time. *)
let short_sample = 50.
let sample_of_many_threads = 1000.

(* A turn goes on for so many minor collections, but no longer than that. *)
let collections = 4
let longest_turn = 2e4

(* What CPU time is taken of. *)
let long_run_lasts = 2e5

type timed = {
  timed_way : way;
  callers : (unit -> unit) list;
  each : float;  (* about what a call takes, in microseconds *)
  batch : int;  (* calls of each thread in a sample *)
  in_a_row : int;  (* samples in a turn *)
  mutable used : float;  (* microseconds *)
  mutable samples : float list;
  mutable turns_taken : int;
  mutable medians : float list;  (* of turns, the last one first, nan for one not taken *)
}

let prepare ~threads way =
  let callers = List.init threads (fun _ -> way.caller ()) in
  let one = List.hd callers in
  (* Tried out to see how long it takes: the second time it is ready. *)
  let first = microseconds_of one in
  let each = if first > 1e5 then first else microseconds_of one in
  let each = Float.max each 0.01 in
  let calls_in us = Float.to_int (Float.ceil (us /. each)) in
  let batch =
    if threads > 1 then max 1 (calls_in sample_of_many_threads / threads)
    else if each >= long_call then 1
    else calls_in short_sample
  in
  let calls_of_turn =
    let words = (Lazy.force way.counts).words in
    let wanted =
      if words = 0 then max_int else collections * (Gc.get ()).minor_heap_size / words
    in
    min wanted (calls_in longest_turn)
  in
  {
    timed_way = way;
    callers;
    each;
    batch;
    in_a_row =
      (if each > 1e5 then 1
      else if threads > 1 then 5
      else max 5 (calls_of_turn / batch));
    used = 0.;
    samples = [];
    turns_taken = 0;
    medians = [];
  }

let turn way =
  let start = Clock.nanoseconds () in
  (* Finds the caches, and an emulator's tables, full of another way's data. *)
  if way.in_a_row > 1 then List.hd way.callers ();
  let samples = List.init way.in_a_row (fun _ -> sample way.callers way.batch) in
  way.samples <- List.rev_append samples way.samples;
  way.turns_taken <- way.turns_taken + 1;
  way.medians <- (spread_of_list samples).median :: way.medians;
  way.used <- way.used +. (Float.of_int (Clock.nanoseconds () - start) /. 1e3)

(* By itself, since in turns each way would pay for the collection of what others left in the major
   heap. *)
let cpu_in_the_long_run way =
  let call = List.hd way.callers in
  let calls = max 3 (Float.to_int (long_run_lasts /. way.each)) in
  Gc.full_major ();
  let start = Sys.time () in
  repeat calls call;
  (Sys.time () -. start) *. 1e6 /. Float.of_int calls

(* Turns that a way gets in any case. *)
let fewest way = if way.used < 1e6 then 5 else if way.used < 15e6 then 3 else 1

let costs ?samples ?(threads = 1) ~seconds ways =
  List.iter (fun way -> ignore (Lazy.force way.counts)) ways;
  let ways = Array.of_list (List.map (prepare ~threads) ways) in
  let share = 2e6 *. seconds /. Float.of_int (Array.length ways) in
  let until = Clock.nanoseconds () + Float.to_int (seconds *. 1e9) in
  let wants way =
    match samples with
    | Some samples -> List.length way.samples < samples
    | None ->
      way.turns_taken < fewest way
      || (way.used < share && Clock.nanoseconds () < until)
  in
  let random = Random.State.make [| 1 |] in
  let rec take_turns () =
    let all = Array.to_list ways in
    let taking_part, sitting_out = List.partition wants all in
    if taking_part <> [] then begin
      let order = Array.of_list taking_part in
      shuffle random order;
      Array.iter turn order;
      List.iter (fun way -> way.medians <- nan :: way.medians) sitting_out;
      take_turns ()
    end
  in
  take_turns ();
  Array.to_list ways
  |> List.map (fun way ->
         {
           way = way.timed_way;
           calls = List.length way.samples * way.batch * threads;
           time = spread_of_list way.samples;
           cpu = lazy (if threads > 1 then nan else cpu_in_the_long_run way);
           turns = way.medians;
         })

let ratio a b =
  List.map2 ( /. ) a.turns b.turns
  |> List.filter (fun r -> not (Float.is_nan r))
  |> spread_of_list

(* --- memory ---------------------------------------------------------------------- *)

(* A line of /proc/self/status, in KiB. *)
let status format =
  let value line =
    try Some (Scanf.sscanf line format Fun.id)
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

let peak_resident () = status "VmHWM: %d kB"

(* Without garbage, whose amount goes up and down. *)
let resident () =
  Gc.compact ();
  status "VmRSS: %d kB"

type long_run = {
  total_calls : int;
  total_hypercalls : int option;
  total_mappings : int option;
  growth : int option;
  each : float;
}

let long_run ~calls way =
  let call = way.caller () in
  (* The same once before, so that the heap and malloc settle. *)
  ignore (resident ());
  repeat calls call;
  let before = resident () in
  let elapsed = ref 0. in
  let counts =
    counted [ "hypercalls"; "mappings" ] (fun () ->
        elapsed := microseconds_of (fun () -> repeat calls call))
  in
  let growth =
    match (before, resident ()) with
    | Some before, Some after -> Some (after - before)
    | _ -> None
  in
  {
    total_calls = calls;
    total_hypercalls = List.nth counts 0;
    total_mappings = List.nth counts 1;
    growth;
    each = !elapsed /. Float.of_int calls;
  }
