(* Forks, execs, signals and ends of processes, at any moment of a call. On xensim. *)

open Test_support
open World

(* How a child ends that runs [f]; one that hangs is killed by its alarm. *)
let status_of f =
  flush_all ();
  match Unix.fork () with
  | 0 -> (
    ignore (Unix.alarm 30);
    try
      f ();
      Unix._exit 0
    with e ->
      prerr_endline ("child: " ^ Printexc.to_string e);
      Unix._exit 99)
  | pid -> snd (Unix.waitpid [] pid)

let check_status what expected status =
  let show = function
    | Unix.WEXITED n -> Printf.sprintf "exit %d" n
    | WSIGNALED n -> Printf.sprintf "signal %d" n
    | WSTOPPED n -> Printf.sprintf "stop %d" n
  in
  check_string what (show (WEXITED expected)) (show status)

let test_fork_from_threads () =
  configure "domains=300,domids=dense";
  let stop = Atomic.make false and calls = Atomic.make 0 in
  let shared = Xenctrl.interface_open () in
  let work () =
    while not (Atomic.get stop) do
      ignore (Xenctrl.domain_getinfolist shared 0);
      ignore (Xenctrl.interface_open ());
      Atomic.incr calls
    done
  in
  let threads = List.init 3 (fun _ -> Thread.create work ()) in
  for i = 1 to 20 do
    check_status (Printf.sprintf "child %d" i) 0
      (status_of (fun () ->
           if List.length (Xenctrl.domain_getinfolist shared 0) <> 300 then Unix._exit 2;
           let own = Xenctrl.interface_open () in
           if List.length (Xenctrl.domain_getinfolist own 0) <> 300 then Unix._exit 1;
           Gc.full_major ();
           interface_close own))
  done;
  let seen = Atomic.get calls in
  wait_until "the parent goes on" (fun () -> Atomic.get calls > seen);
  Atomic.set stop true;
  List.iter Thread.join threads

(* Xen's libraries make handles and buffers under locks that the child would inherit taken, so a fork
   waits. [kind] is what another thread is doing, [gauge] what is greater by [by] once it is done. *)
let test_fork_beside kind gauge by () =
  (* Handles of other tests are not closed meanwhile. *)
  Gc.full_major ();
  configure "domains=5";
  let handle = Xenctrl.interface_open () in
  configure (Printf.sprintf "domains=5,delay=%s:500ms" kind);
  let calls = Counters.get kind and before = Counters.get gauge in
  let thread =
    Thread.create
      (fun () ->
        if kind = "close" then interface_close handle else ignore (Xenctrl.interface_open ()))
      ()
  in
  wait_until "the thread is there" (fun () -> Counters.get kind > calls);
  let status =
    status_of (fun () ->
        let now = Counters.get gauge in
        if now <> before + by then Printf.ksprintf failwith "in the middle: %s is %d" gauge now;
        configure "domains=5";
        interface_close (Xenctrl.interface_open ()))
  in
  Thread.join thread;
  (* It was not collected meanwhile. *)
  ignore (Sys.opaque_identity handle);
  check_status "child" 0 status

(* While another thread takes a snapshot anew: the child's copy is that of one look, and is the
   child's to take anew and to free. *)
let test_fork_beside_retake () =
  let module Snapshot = Xenctrl_domains.Snapshot in
  let domids s = Snapshot.(fold_right (fun i list -> domid s i :: list) s []) in
  let world kind () = configure (Printf.sprintf "domains=16000,domids=%s" kind) in
  let worlds = [ world "dense"; world "sparse" ] in
  let handle = Xenctrl.interface_open () in
  let looks =
    List.map
      (fun world ->
        world ();
        domids (Snapshot.take handle))
      worlds
  in
  let shared = Snapshot.take handle in
  let stop = Atomic.make false in
  let rec work = function
    | [] -> work worlds
    | world :: others ->
      world ();
      for _ = 1 to 5 do
        Snapshot.retake handle shared
      done;
      if not (Atomic.get stop) then work others
  in
  let thread = Thread.create work [] in
  Fun.protect
    ~finally:(fun () ->
      Atomic.set stop true;
      Thread.join thread)
    (fun () ->
      for i = 1 to 50 do
        Thread.yield ();
        check_status (Printf.sprintf "child %d" i) 0
          (status_of (fun () ->
               if not (List.mem (domids shared) looks) then failwith "a mixture of two looks";
               List.iter
                 (fun handle ->
                   Snapshot.retake handle shared;
                   if not (List.mem (domids shared) looks) then failwith "taken anew")
                 [ handle; Xenctrl.interface_open () ];
               Snapshot.free shared;
               Gc.full_major ()))
      done);
  check_bool "the parent's" true (List.mem (domids shared) looks);
  Snapshot.free shared;
  interface_close handle

let descriptors_of_exec () =
  let ic = Unix.open_process_in "ls /proc/self/fd" in
  let rec count n = match input_line ic with _ -> count (n + 1) | exception End_of_file -> n in
  let n = count 0 in
  check_status "ls" 0 (Unix.close_process_in ic);
  n

let test_exec () =
  Gc.full_major ();
  let before = descriptors_of_exec () in
  configure "domains=5,domids=dense";
  let handles = List.init 20 (fun _ -> Xenctrl.interface_open ()) in
  List.iter (fun h -> ignore (Xenctrl.domain_getinfolist h 0)) handles;
  List.iter (fun h -> ignore (Xenctrl.map_foreign_range h 1 4096 0n)) handles;
  check_int "descriptors of a program that is executed" before (descriptors_of_exec ());
  List.iter interface_close handles

let timer seconds = ignore (Unix.setitimer ITIMER_REAL { it_interval = 0.; it_value = seconds })

let with_handler handler f =
  let old = Sys.signal Sys.sigalrm (Signal_handle handler) in
  Fun.protect ~finally:(fun () -> timer 0.; Sys.set_signal Sys.sigalrm old) f

(* Signals by the hundred while calls are made: each answer is right, and handlers run. *)
let test_signal_storm () =
  configure "domains=300,domids=dense,delay=sysctl.getdomaininfolist:1ms";
  let h = Xenctrl.interface_open () in
  let handled = ref 0 in
  with_handler
    (fun _ ->
      incr handled;
      (* A handler makes calls of its own. *)
      if (Xenctrl.domain_getinfo h 7).domid <> 7 then failwith "a handler's call")
    (fun () ->
      ignore (Unix.setitimer ITIMER_REAL { it_interval = 0.0005; it_value = 0.0005 });
      for _ = 1 to 200 do
        check_int "a list" 300 (List.length (Xenctrl.domain_getinfolist h 0))
      done;
      timer 0.);
  check_bool "handled" true (!handled > 20);
  interface_close h

exception Interrupted

(* A handler that raises, at any moment of a call: the exception arrives, nothing is left. *)
let test_handlers_raise () =
  Gc.full_major ();
  let held () = List.map Counters.get [ "handles"; "mapped_bytes" ] in
  let before = held () in
  configure "domains=300,domids=dense,delay=sysctl.getdomaininfolist:500us";
  let h = Xenctrl.interface_open () in
  let interrupted = ref 0 in
  with_handler
    (fun _ -> raise Interrupted)
    (fun () ->
      for i = 1 to 300 do
        match
          timer (float_of_int (1 + (i mod 20)) *. 0.0001);
          for _ = 1 to 4 do
            ignore (Sys.opaque_identity (Xenctrl.domain_getinfolist h 0));
            ignore (Sys.opaque_identity (Xenctrl.interface_open ()))
          done;
          (* Where it is delivered at the latest. *)
          Unix.sleepf 0.01
        with
        | () -> Alcotest.fail "no signal"
        | exception Interrupted -> incr interrupted
      done);
  check_int "interrupted" 300 !interrupted;
  check_int "goes on" 300 (List.length (Xenctrl.domain_getinfolist h 0));
  interface_close h;
  Gc.full_major ();
  Gc.full_major ();
  Alcotest.(check (list int)) "handles and mapped bytes" before (held ())

(* The program [forking], which has its hypervisor as any program has: by the variable. *)
let test_forking way () =
  let program = Filename.concat (Filename.dirname Sys.executable_name) "forking.exe" in
  let spec = if way = "handler" then "domains=5,delay=buffer:300ms" else "domains=5" in
  let env = Array.append [| "XENSIM=" ^ spec |] (Unix.environment ()) in
  let pid =
    Unix.create_process_env program [| program; way |] env Unix.stdin Unix.stdout Unix.stderr
  in
  check_status way 0 (snd (Unix.waitpid [] pid))

(* The program [ending], which ends in the way that it is told to, and how it must. *)
let check_ending ?(env = []) way expected =
  let program = Filename.concat (Filename.dirname Sys.executable_name) "ending.exe" in
  let report = Filename.temp_file "ending" ".report" in
  let env = Array.append (Array.of_list env) (Unix.environment ()) in
  let pid =
    Unix.create_process_env program [| program; way; report |] env Unix.stdin Unix.stdout
      Unix.stderr
  in
  check_status way expected (snd (Unix.waitpid [] pid));
  let ic = open_in report in
  let rec lines acc = match input_line ic with l -> lines (l :: acc) | exception End_of_file -> acc in
  let counters = lines [] in
  close_in ic;
  Sys.remove report;
  (* xensim's counters at the very end. *)
  List.exists (fun line -> has_prefix "handles " line) counters

let test_ends () =
  ignore (check_ending "exit" 7);
  ignore (check_ending "exit-in-handler" 8);
  ignore (check_ending "uncaught" 2);
  ignore (check_ending "at_exit" 0);
  (* Nobody finalises what is left at the end, unless the runtime is told to clean up, which that of
     OCaml 5 does without finalisers. *)
  check_bool "handles at the end" true (check_ending "open" 0);
  check_bool "handles after a clean-up"
    (Sys.ocaml_version.[0] >= '5')
    (check_ending ~env:[ "OCAMLRUNPARAM=c" ] "open" 0)

(* Finalisers that use the handle, and at_exit functions that do. *)
let test_finalisers () =
  configure "domains=5,domids=dense";
  let ran = ref 0 in
  for _ = 1 to 100 do
    Gc.finalise
      (fun h ->
        incr ran;
        assert (List.length (Xenctrl.domain_getinfolist h 0) = 5);
        if !ran mod 2 = 0 then interface_close h)
      (Xenctrl.interface_open ())
  done;
  for _ = 1 to 4 do
    Gc.full_major ()
  done;
  check_int "finalisers" 100 !ran;
  check_int "handles" 0 (Counters.get "handles")

let () =
  Alcotest.run "Processes on xensim"
    [
      ( "fork and exec",
        [ test "forks from threads" test_fork_from_threads;
          test "forks beside an open" (test_fork_beside "open" "handles" 1);
          test "forks beside a close" (test_fork_beside "close" "handles" (-1));
          test "forks beside a buffer" (test_fork_beside "buffer" "buffer_allocations" 1);
          test "forks of a program that knows of no simulation" (test_forking "threads");
          test "a fork in a handler of C's" (test_forking "handler");
          test "forks beside a snapshot" test_fork_beside_retake; test "exec" test_exec ] );
      ( "signals",
        [
          test "many" test_signal_storm;
          test "handlers that raise" test_handlers_raise;
        ] );
      ( "the end",
        [
          test "in the middle of a call" test_ends;
          test "finalisers" test_finalisers;
        ] );
    ]
