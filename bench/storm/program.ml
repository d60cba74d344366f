(* A thousand VMs start, and then stop, while the host's other daemons look on. *)

module Counters = Test_support.Counters

type options = {
  vms : int;
  workers : int;
  wait : float;  (** seconds *)
  balance_every : float;
  sample_every : float;
  check : bool;
  csv : bool;
}

let seconds nanoseconds = Float.of_int nanoseconds /. 1e9

(* --- what came out ---------------------------------------------------------------- *)

type result = {
  way : string;
  wall : float;
  cpu : float;
  totals : Cost.totals;
  list_hypercalls : int option;
  hypercalls : int option;
  mappings : int option;
  words : float;  (** allocated in the OCaml heap *)
  peak : int option;  (** KiB of resident memory *)
}

let counter name =
  match Counters.source () with
  | `None -> None
  | `Xensim | `Preload -> Some (Counters.get name)

let peak_resident () =
  let value line =
    try Some (Scanf.sscanf line "VmHWM: %d kB" Fun.id)
    with Scanf.Scan_failure _ | Failure _ | End_of_file -> None
  in
  let rec find file =
    match input_line file with
    | exception End_of_file -> None
    | line -> ( match value line with Some _ as found -> found | None -> find file)
  in
  match open_in "/proc/self/status" with
  | exception Sys_error _ -> None
  | file -> Fun.protect ~finally:(fun () -> close_in file) (fun () -> find file)

(* What is promoted was counted when it was new. *)
let words () =
  let s = Gc.quick_stat () in
  s.minor_words +. s.major_words -. s.promoted_words

let share part whole = 100. *. part /. whole

let print_result r =
  let counted = Option.fold ~none:"not counted" ~some:Text.number in
  let line name value = Printf.printf "  %s %s\n" (Text.left 26 name) value in
  let cost cpu = Printf.sprintf "%.3f s, %.2f %% of its CPU time" cpu (share cpu r.cpu) in
  Printf.printf "%s\n" r.way;
  line "time" (Printf.sprintf "%.1f s, of them %.1f s of CPU time" r.wall r.cpu);
  line "questions" (Text.number r.totals.questions);
  line "CPU time in questions" (cost (seconds r.totals.cpu));
  line "of it fetching domains" (cost (seconds r.totals.list_cpu));
  List.iter
    (fun (asker, name) ->
      let questions, cpu = Cost.of_asker asker in
      line ("- " ^ name) (Printf.sprintf "%s, %s" (Text.number questions) (cost (seconds cpu))))
    Cost.askers;
  line "list hypercalls" (counted r.list_hypercalls);
  line "all hypercalls" (counted r.hypercalls);
  line "mappings made" (counted r.mappings);
  line "OCaml words" (Text.number (Float.to_int r.words));
  line "peak resident memory"
    (Option.fold ~none:"not known" ~some:(fun kib -> Text.number kib ^ " KiB") r.peak)

(* One line that bench/storm/run looks for, whatever else the output has. *)
let print_csv options r =
  let counted = Option.fold ~none:"" ~some:string_of_int in
  Printf.printf "storm,%s,%d,%d,%.3f,%.3f,%d,%.3f,%.3f,%.3f,%.3f,%s,%s,%s,%.0f,%s\n"
    (String.concat ";" (String.split_on_char ',' r.way))
    options.vms options.workers r.wall r.cpu r.totals.questions (seconds r.totals.cpu)
    (seconds r.totals.list_cpu)
    (share (seconds r.totals.cpu) r.cpu)
    (share (seconds r.totals.list_cpu) r.cpu)
    (counted r.list_hypercalls) (counted r.hypercalls) (counted r.mappings) r.words
    (counted r.peak)

(* --- the storm -------------------------------------------------------------------- *)

(* The first exception of any thread. The others end as soon as they see it. *)
let failure : exn option Atomic.t = Atomic.make None

let guarded f () =
  if Atomic.get failure = None then
    try f () with e -> ignore (Atomic.compare_and_set failure None (Some e))

let give_up_on_failure () = Option.iter raise (Atomic.get failure)

(* Does something to each number below [n], by so many threads. *)
let in_pool ~workers n f =
  let next = Atomic.make 0 in
  let rec work () =
    let number = Atomic.fetch_and_add next 1 in
    if number < n then begin
      guarded (fun () -> f number) ();
      work ()
    end
  in
  List.iter Thread.join (List.init workers (fun _ -> Thread.create work ()));
  give_up_on_failure ()

(* Once a second, on standard error. *)
let with_progress vms ~started ~stopped f =
  let begin_ = Clock.nanoseconds Wall in
  let show () =
    let { Cost.lists; list_cpu; _ } = Cost.totals () in
    Printf.eprintf "  %4.0f s: %d started, %d stopped of %d; %d lists, %.1f s in them\n%!"
      (seconds (Clock.nanoseconds Wall - begin_))
      (Atomic.get started) (Atomic.get stopped) vms lists (seconds list_cpu)
  in
  let thread = Watchers.Periodic.start ~every:1. show in
  Fun.protect ~finally:(fun () -> Watchers.Periodic.stop thread) f

module Run (H : Host.S) = struct
  module Vm = Life.Make (H)

  (* What the watcher of xenopsd has seen in all. *)
  type seen = {
    mutable appeared : int;
    mutable gone : int;
    mutable shut_down : int;
  }

  let domains h = Cost.question Balancer (fun () -> H.balance h)

  let storm options =
    (* A handle for each daemon; xenopsd's threads share one. *)
    let xenopsd = H.interface_open () in
    let squeezed = H.interface_open () in
    let rrdd = H.interface_open () in
    let seen = { appeared = 0; gone = 0; shut_down = 0 } in
    let memory = H.nothing () in
    let look () =
      let changes = Cost.question Watcher (fun () -> H.watch xenopsd memory) in
      seen.appeared <- seen.appeared + List.length changes.appeared;
      seen.gone <- seen.gone + List.length changes.gone;
      seen.shut_down <- seen.shut_down + List.length changes.shut_down
    in
    let before = domains squeezed in
    look ();
    let at_first = seen.appeared in
    let xenopsd_watcher = Watchers.Per_event.start (guarded look) in
    let squeezed_watcher =
      Watchers.Per_event.start
        (guarded (fun () ->
             ignore (Cost.question Watcher (fun () -> H.running squeezed))))
    in
    let watchers = [ xenopsd_watcher; squeezed_watcher ] in
    let balancer =
      Watchers.Periodic.start ~every:options.balance_every
        (guarded (fun () -> ignore (domains squeezed)))
    in
    (* rrdd and three plugins, one after the other. *)
    let metrics =
      Watchers.Periodic.start ~every:options.sample_every
        (guarded (fun () ->
             for _ = 1 to 4 do
               ignore (Cost.question Metrics (fun () -> H.sample rrdd))
             done))
    in
    let event () = List.iter Watchers.Per_event.post watchers in
    let near =
      {
        Life.introduced = event;
        released = event;
        memory_wanted = (fun () -> ignore (domains squeezed));
        wait = (fun () -> if options.wait > 0. then Thread.delay options.wait);
      }
    in
    let started = Atomic.make 0 and stopped = Atomic.make 0 in
    let each act done_ =
      in_pool ~workers:options.workers options.vms (fun number ->
          act xenopsd near (Life.uuid number);
          Atomic.incr done_);
      List.iter Watchers.Per_event.wait_until_idle watchers;
      give_up_on_failure ()
    in
    let running = ref before in
    with_progress options.vms ~started ~stopped (fun () ->
        each Vm.start started;
        running := domains squeezed;
        each Vm.stop stopped);
    List.iter Watchers.Per_event.stop watchers;
    List.iter Watchers.Periodic.stop [ balancer; metrics ];
    give_up_on_failure ();
    let after = domains squeezed in
    (* What is wrong, a line each. *)
    let expect what found wanted =
      if found = wanted then [] else [ Printf.sprintf "%d %s, not %d" found what wanted ]
    in
    expect "VMs started" (Atomic.get started) options.vms
    @ expect "VMs stopped" (Atomic.get stopped) options.vms
    @ expect "domains when all ran" !running.domains (before.domains + options.vms)
    @ expect "domains left" after.domains before.domains
    @ expect "entries left in the store" (Store.size ()) 0
    @ expect "domains seen to appear" (seen.appeared - at_first) options.vms
    @ expect "domains seen to go" seen.gone options.vms

  let result options =
    Counters.reset ();
    let wall = Clock.nanoseconds Wall in
    let cpu = Clock.nanoseconds Process in
    let words_before = words () in
    let problems = storm options in
    let r =
      {
        way = H.way.name;
        wall = seconds (Clock.nanoseconds Wall - wall);
        cpu = seconds (Clock.nanoseconds Process - cpu);
        totals = Cost.totals ();
        list_hypercalls = counter "sysctl.getdomaininfolist";
        hypercalls = counter "hypercalls";
        mappings = counter "mappings";
        words = words () -. words_before;
        peak = peak_resident ();
      }
    in
    (r, problems)
end

(* The buffer of this library begins small and grows, which takes a hypercall each time. *)
let most_growths = 3 * 16

(* What is wrong with the counts, a line each. *)
let counts_of options (way : Host.way) r =
  let { Cost.questions; lists; foretold; _ } = r.totals in
  (* Of a list of each thread, for each domain that is created. *)
  let most_more = if way.one_more then options.vms * (options.workers + 4) else 0 in
  let lists_wrong =
    if lists = questions then []
    else [ Printf.sprintf "%d lists for %d questions" lists questions ]
  in
  match r.list_hypercalls with
  | None -> "nothing counts hypercalls here" :: lists_wrong
  | Some made when made < foretold || made > foretold + most_more + most_growths ->
    Printf.sprintf "%d list hypercalls, where %d lists take %d" made lists foretold
    :: lists_wrong
  | Some _ -> lists_wrong

let run options (module H : Host.S) =
  let module R = Run (H) in
  Printf.eprintf "%s: %d VMs, %d workers\n%!" H.way.name options.vms options.workers;
  match R.result options with
  | exception e ->
    prerr_endline ("storm: " ^ Printexc.to_string e);
    2
  | r, problems ->
    print_result r;
    if options.csv then print_csv options r;
    let problems = if options.check then problems @ counts_of options H.way r else [] in
    List.iter (fun problem -> print_endline ("CHECK FAILED: " ^ problem)) problems;
    if problems = [] then 0 else 1

(* --- the command line ------------------------------------------------------------- *)

open Cmdliner

let positive =
  let parse text =
    match int_of_string_opt text with
    | Some n when n >= 1 && n <= 32751 -> Ok n
    | _ -> Error (`Msg (text ^ " is not from 1 to 32751"))
  in
  Arg.conv (parse, Format.pp_print_int)

let option_of kind default names docv doc =
  Arg.(value & opt kind default & info names ~docv ~doc)

let options =
  let make vms workers wait balance_every sample_every check csv =
    { vms; workers; wait = wait /. 1000.; balance_every; sample_every; check; csv }
  in
  Term.(
    const make
    $ option_of positive 1000 [ "vms" ] "N" "How many VMs start and stop."
    $ option_of positive 16 [ "workers" ] "N" "How many VMs do so at a time."
    $ option_of Arg.float 0. [ "wait" ] "MS"
        "How many milliseconds each other program takes that a worker waits for: nine in the \
         life of a VM."
    $ option_of Arg.float 10. [ "balance-every" ] "S" "squeezed's period in seconds."
    $ option_of Arg.float 5. [ "sample-every" ] "S" "rrdd's period in seconds."
    $ Arg.(
        value & flag
        & info [ "check" ]
            ~doc:
              "Fail unless every VM was seen to come and to go and hypercalls are as many as \
               the lists need. Times are not checked.")
    $ Arg.(value & flag & info [ "csv" ] ~doc:"Print a line of figures as well."))

let main ways =
  let way =
    match ways with
    | [ (_, only) ] -> Term.const only
    | _ ->
      Arg.(
        required
        & opt (some (enum ways)) None
        & info [ "chunk" ] ~docv:"N"
            ~doc:"The loop around the list: in chunks of 2, or of 1024.")
  in
  let info =
    Cmd.info "storm" ~doc:"start and stop a thousand VMs as Xen's toolstack does"
      ~exits:
        [
          Cmd.Exit.info 0 ~doc:"if all is well.";
          Cmd.Exit.info 1 ~doc:"if --check finds fault.";
          Cmd.Exit.info 2 ~doc:"if Xen refuses.";
          Cmd.Exit.info Cmd.Exit.cli_error ~doc:"on a wrong command line.";
        ]
  in
  exit (Cmd.eval' (Cmd.v info Term.(const run $ options $ way)))
