(* Several threads, and signals. *)

open Test_support
open World
open Externals

let test_lock_is_released () =
  check_lock_is_released
    (("xen_version.version", fun _ -> ignore (Xenctrl.interface_open ()))
    :: ("close", fun _ -> interface_close (Xenctrl.interface_open ()))
    :: basic)

exception Signalled

(* A handler that raises does so in OCaml code, and not while a stub holds something. *)
let test_signals () =
  configure "domains=5,domids=dense,delay=domctl.pausedomain:20ms";
  Gc.full_major ();
  let before = Counters.get "handles" in
  let h = Xenctrl.interface_open () in
  let timer seconds =
    ignore (Unix.setitimer ITIMER_REAL { it_interval = 0.; it_value = seconds })
  in
  let old = Sys.signal Sys.sigalrm (Signal_handle (fun _ -> raise Signalled)) in
  (match
     timer 0.005;
     Xenctrl.domain_pause h 2;
     (* It is pending now, where nothing has made OCaml look yet. *)
     Xenctrl.domain_pause h 2;
     Unix.sleepf 1.
   with
  | () -> Alcotest.fail "no signal"
  | exception Signalled -> ());
  Sys.set_signal Sys.sigalrm old;
  check_bool "the handle goes on" true (Xenctrl.domain_getinfolist h 0 <> []);
  interface_close h;
  check_int "handles" before (Counters.get "handles")

(* Many calls at once on one handle, each with a buffer of its own. *)
let test_threads () =
  configure "domains=600,domids=dense";
  let h = Xenctrl.interface_open () in
  let expected = List.length (Xenctrl.domain_getinfolist h 0) in
  let wrong = Atomic.make 0 in
  let work seed () =
    for i = 1 to 200 do
      let ok =
        match (seed + i) mod 3 with
        | 0 -> List.length (Xenctrl.domain_getinfolist h 0) = expected
        | 1 -> (Xenctrl.domain_getinfo h (i mod 500)).domid = i mod 500
        | _ -> (
          match Xenctrl.domain_pause h 30000 with
          | () -> false
          | exception Xenctrl.Error message -> message = esrch)
      in
      if not ok then Atomic.incr wrong;
      if i mod 16 = 0 then Thread.yield ()
    done
  in
  List.iter Thread.join (List.init 8 (fun seed -> Thread.create (work seed) ()));
  check_int "wrong answers" 0 (Atomic.get wrong)

(* Idle buffers are kept, as many as calls were under way at once, the large ones for lists. *)
let test_buffers_are_kept () =
  let lists = "domains=1000,delay=sysctl.getdomaininfolist:30ms" in
  configure lists;
  let h = Xenctrl.interface_open () in
  let at_once n f = List.iter Thread.join (List.init n (fun _ -> Thread.create f ())) in
  let list () = ignore (Xenctrl.domain_getinfolist h 0) in
  at_once 4 list;
  let _, mappings = counted "mappings" (fun () -> at_once 2 list) in
  check_int "two lists at once" 0 mappings;
  configure "domains=1000,delay=domctl.pausedomain:50ms";
  let h = Xenctrl.interface_open () in
  let list () = ignore (Xenctrl.domain_getinfolist h 0) in
  list ();
  let _, mappings =
    counted "mappings" (fun () ->
        let other = Thread.create (fun () -> Xenctrl.domain_pause h 2) () in
        Thread.delay 0.01;
        list ();
        Thread.join other)
  in
  check_int "a list beside another call" 0 mappings

(* However many large lists were under way at once, and whatever was sent: what stays idle is
   bounded. *)
let test_idle_buffers_are_bounded () =
  Gc.full_major ();
  let before = Counters.get "mapped_bytes" in
  configure "domains=32752,delay=sysctl.getdomaininfolist:100ms";
  let h = Xenctrl.interface_open () in
  let list () = ignore (Xenctrl.domain_getinfolist h 0) in
  let idle () = Counters.get "mapped_bytes" - before in
  List.iter Thread.join (List.init 4 (fun _ -> Thread.create list ()));
  check_bool "of two longest lists" true (idle () <= 2 * 3_680_000);
  check_bool "of one at least" true (idle () >= 3_660_000);
  Xenctrl.send_debug_keys h (String.make 10_000_000 ' ');
  check_bool "of keys, nothing" true (idle () <= 2 * 3_680_000);
  interface_close h;
  check_int "closed" 0 (idle ())

(* Threads that open the process's handle at once end up with the same one. *)
let test_with_intf_race () =
  configure "domains=5,delay=xen_version.version:5ms";
  Xenctrl.close_handle ();
  let handles = Array.make 8 None in
  let threads =
    List.init 8 (fun i ->
        Thread.create (fun () -> handles.(i) <- Some (Xenctrl.with_intf Fun.id)) ())
  in
  List.iter Thread.join threads;
  let same = function Some h -> h == Option.get handles.(0) | None -> false in
  check_bool "one handle" true (Array.for_all same handles)

let tests =
  sim_only
    [
      test "the lock is released" test_lock_is_released;
      test "signal handlers that raise" test_signals;
      test "one handle, many threads" test_threads;
      test "buffers are kept" test_buffers_are_kept;
      test "idle buffers are bounded" test_idle_buffers_are_bounded;
      test "with_intf" test_with_intf_race;
    ]
