(* Xeneventchn, in a real Xen's dom0; where there is no Xen, that it says so. *)

let test name f = Alcotest.test_case name `Quick f
let check_int = Alcotest.(check int)

let failure f =
  match f () with
  | _ -> Alcotest.fail "no exception"
  | exception Failure message -> message

let check_failure prefix f =
  let message = failure f in
  let n = String.length prefix in
  if String.length message <= n || String.sub message 0 n <> prefix then
    Alcotest.failf "%S does not begin with %S" message prefix

let is_readable ?(timeout = 0.) h =
  let readable, _, _ = Unix.select [ Xeneventchn.fd h ] [] [] timeout in
  readable <> []

(* dom0 gets VIRQ_DOM_EXC when a domain ends. *)
let end_a_domain () =
  Xenctrl.with_intf (fun h ->
      Xenctrl.domain_destroy h
        (Xenctrl.domain_create h
           (Guest_config.pv "00000000-0000-0000-0000-000000000000")))

let check_pending h port =
  Alcotest.(check bool) "an event" true (is_readable ~timeout:10. h);
  check_int "its port" (Xeneventchn.to_int port) (Xeneventchn.to_int (Xeneventchn.pending h));
  Alcotest.(check bool) "once" false (is_readable h)

let test_bind () =
  let h = Xeneventchn.init () in
  let port = Xeneventchn.bind_dom_exc_virq h in
  Alcotest.(check bool) "a port" true (Xeneventchn.to_int port > 0);
  check_int "and back" (Xeneventchn.to_int port)
    (Xeneventchn.to_int (Xeneventchn.of_int (Xeneventchn.to_int port)));
  end_a_domain ();
  check_pending h port;
  end_a_domain ();
  Alcotest.(check bool) "masked" false (is_readable ~timeout:0.5 h);
  Xeneventchn.unmask h port;
  check_pending h port;
  check_failure "evtchn bind_virq failed: " (fun () -> Xeneventchn.bind_dom_exc_virq h);
  Xeneventchn.unbind h port;
  check_failure "evtchn unbind failed: " (fun () -> Xeneventchn.unbind h port);
  (* It can be bound again. *)
  Xeneventchn.unbind h (Xeneventchn.bind_virq h Dom_exc)

let test_missing () =
  let h = Xeneventchn.init () in
  check_failure "evtchn notify failed: " (fun () -> Xeneventchn.notify h (Xeneventchn.of_int 4000));
  check_failure "evtchn bind_interdomain failed: " (fun () ->
      Xeneventchn.bind_interdomain h 31000 1)

let test_out_of_range () =
  let h = Xeneventchn.init () in
  let invalid f =
    match f () with
    | _ -> Alcotest.fail "accepted"
    | exception Invalid_argument _ -> ()
  in
  List.iter
    (fun bad ->
      invalid (fun () -> Xeneventchn.notify h (Xeneventchn.of_int bad));
      invalid (fun () -> Xeneventchn.unbind h (Xeneventchn.of_int bad));
      invalid (fun () -> Xeneventchn.unmask h (Xeneventchn.of_int bad));
      invalid (fun () -> ignore (Xeneventchn.bind_interdomain h 0 bad));
      invalid (fun () -> ignore (Xeneventchn.bind_interdomain h bad 0)))
    [ -1; 1 lsl 32; max_int; min_int ];
  invalid (fun () -> ignore (Xeneventchn.bind_interdomain h 65536 1))

exception Interrupted

(* A signal that arrives during the wait is handled, and what its handler raises ends it. *)
let test_signal () =
  let h = Xeneventchn.init () in
  let port = Xeneventchn.bind_dom_exc_virq h in
  while is_readable ~timeout:0.2 h do
    Xeneventchn.unmask h (Xeneventchn.pending h)
  done;
  let handled = ref 0 in
  let on_alarm raises =
    Sys.set_signal Sys.sigalrm
      (Signal_handle
         (fun _ ->
           incr handled;
           if raises then raise Interrupted else end_a_domain ()));
    ignore (Unix.setitimer ITIMER_REAL { it_value = 0.3; it_interval = 0. })
  in
  on_alarm true;
  (match Xeneventchn.pending h with
  | _ -> Alcotest.fail "an event"
  | exception Interrupted -> ());
  check_int "handled" 1 !handled;
  (* A handler that returns lets the wait go on. *)
  on_alarm false;
  check_int "waited on" (Xeneventchn.to_int port) (Xeneventchn.to_int (Xeneventchn.pending h));
  check_int "handled" 2 !handled;
  Xeneventchn.unbind h port

let descriptors () = Array.length (Sys.readdir "/proc/self/fd")

(* {1 With a pipe for a device} *)

(* libxenevtchn reads ports from any descriptor, and waits for them. *)
let on_pipe f =
  let read, write = Unix.pipe ~cloexec:true () in
  let event port =
    let bytes = Bytes.create 4 in
    Bytes.set_int32_le bytes 0 (Int32.of_int port);
    check_int "written" 4 (Unix.write write bytes 0 4)
  in
  Fun.protect ~finally:(fun () -> Unix.close write) (fun () -> f read event)

(* Calls [f] with a signal each so often: one may arrive before the wait has begun. *)
let with_alarms ?(each = 0.05) handler f =
  let every seconds =
    ignore (Unix.setitimer ITIMER_REAL { it_value = seconds; it_interval = seconds })
  in
  Sys.set_signal Sys.sigalrm (Signal_handle (fun _ -> handler ()));
  every each;
  Fun.protect f ~finally:(fun () ->
      every 0.;
      Sys.set_signal Sys.sigalrm Signal_ignore)

let pending h = Xeneventchn.to_int (Xeneventchn.pending h)

let test_handlers () =
  on_pipe (fun read event ->
      let h = Xeneventchn.fdopen read in
      event 5;
      check_int "an event" 5 (pending h);
      let raised = ref false in
      let handler () =
        if not !raised then begin
          raised := true;
          raise Interrupted
        end
      in
      (match with_alarms handler (fun () -> pending h) with
      | _ -> Alcotest.fail "an event"
      | exception Interrupted -> ());
      let handled = ref 0 in
      let handler () =
        incr handled;
        if !handled = 3 then event 6
      in
      check_int "waited on" 6 (with_alarms handler (fun () -> pending h));
      Alcotest.(check bool) "handled" true (!handled >= 3))

(* A thread that does [f] until a signal's handler ends it. *)
let until_its_end ?each f =
  let waiter = ref None and ended = ref false in
  let handler () =
    if !waiter = Some (Thread.id (Thread.self ())) then begin
      ended := true;
      Thread.exit () [@warning "-3"]
    end
  in
  let body () =
    ignore (Thread.sigmask SIG_UNBLOCK [ Sys.sigalrm ]);
    waiter := Some (Thread.id (Thread.self ()));
    f ()
  in
  let masked = Thread.sigmask SIG_BLOCK [ Sys.sigalrm ] in
  with_alarms ?each handler (fun () -> Thread.join (Thread.create body ()));
  ignore (Thread.sigmask SIG_SETMASK masked);
  Alcotest.(check bool) "by its handler" true !ended

(* Of the call that it ends in nothing is left, whether that waits or is just being made. *)
let test_thread_exit () =
  Gc.full_major ();
  let before = descriptors () in
  on_pipe (fun read _ ->
      let h = Xeneventchn.fdopen read in
      until_its_end (fun () -> ignore (Xeneventchn.pending h)));
  for _ = 1 to 1000 do
    (* It always has an event, of port 0. *)
    let h = Xeneventchn.fdopen (Unix.openfile "/dev/zero" [ O_RDONLY; O_CLOEXEC ] 0) in
    until_its_end ~each:0.0001 (fun () ->
        while pending h = 0 do
          ()
        done)
  done;
  Gc.full_major ();
  check_int "descriptors" before (descriptors ())

(* What another build's module is linked with, which takes any answer for a port. *)
external upstream_pending : Xeneventchn.handle -> int = "stub_eventchn_pending"

let test_upstream () =
  on_pipe (fun read event ->
      let h = Xeneventchn.fdopen read in
      event 7;
      check_int "an event" 7 (upstream_pending h);
      Alcotest.(check string) "interrupted" "evtchn pending failed: 4: Interrupted system call"
        (failure (fun () -> with_alarms ignore (fun () -> upstream_pending h)));
      event 8;
      check_int "an event" 8 (upstream_pending h))

(* While one thread waits, others run. *)
let test_threads () =
  let h = Xeneventchn.init () in
  let port = Xeneventchn.bind_dom_exc_virq h in
  while is_readable ~timeout:0.2 h do
    Xeneventchn.unmask h (Xeneventchn.pending h)
  done;
  let got = ref None in
  let waiter = Thread.create (fun () -> got := Some (Xeneventchn.pending h)) () in
  Thread.delay 0.3;
  Alcotest.(check bool) "still waiting" true (!got = None);
  end_a_domain ();
  Thread.join waiter;
  Alcotest.(check bool) "woken" true (!got = Some port);
  Xeneventchn.unbind h port

let test_fdopen () =
  let fd = Unix.openfile "/dev/xen/evtchn" [ O_RDWR ] 0 in
  let h = Xeneventchn.fdopen fd in
  Alcotest.(check bool) "that descriptor" true (Xeneventchn.fd h = fd);
  Xeneventchn.unbind h (Xeneventchn.bind_dom_exc_virq h)

let test_collected () =
  Gc.full_major ();
  let before = descriptors () in
  for _ = 1 to 500 do
    ignore (Xeneventchn.init ())
  done;
  Gc.full_major ();
  Gc.full_major ();
  check_int "descriptors" before (descriptors ())

let test_cloexec () =
  let flags h =
    let fd : int = Obj.magic (Xeneventchn.fd h) in
    let ic = open_in (Printf.sprintf "/proc/self/fdinfo/%d" fd) in
    ignore (input_line ic);
    let line = input_line ic in
    close_in ic;
    (* Until here the handle is in use: its descriptor closes with it. *)
    ignore (Sys.opaque_identity h);
    Scanf.sscanf line "flags: %o" (fun flags -> flags land 0o2000000 <> 0)
  in
  Alcotest.(check bool) "closed on exec" true (flags (Xeneventchn.init ()));
  Alcotest.(check bool) "or not" false (flags (Xeneventchn.init ~cloexec:false ()))

let test_no_xen () =
  check_failure "open failed: " (fun () -> Xeneventchn.init ())

let () =
  Alcotest.run "Xeneventchn"
    [
      ( "event channels",
        if Sys.file_exists "/dev/xen/evtchn" then
          [
            test "bind" test_bind;
            test "missing" test_missing;
            test "out of range" test_out_of_range;
            test "signals" test_signal;
            test "threads" test_threads;
            test "fdopen" test_fdopen;
            test "collected" test_collected;
            test "cloexec" test_cloexec;
          ]
        else [ test "no Xen" test_no_xen ] );
      ( "a pipe",
        [
          test "signals" test_handlers;
          test "a thread's end" test_thread_exit;
          test "upstream's pending" test_upstream;
        ] );
    ]
