(* Every hypercall that a call makes fails in turn, with every errno that Xen can give, and so does
   every hypercall buffer that it allocates: each time the call ends in that error, or in an answer
   that does not depend on what failed, the handle goes on, and nothing is left behind. *)

open Test_support
open World
open Externals

type case = {
  what : string;
  spec : string;
  prepare : Xenctrl.handle -> unit;
  call : Xenctrl.handle -> unit;
  swallows : string -> bool;  (** this error may be its answer *)
}

let cases =
  let case spec prepare swallows (what, call) = { what; spec; prepare; call; swallows } in
  let pause_first h = Xenctrl.domain_pause h 2 in
  List.map
    (fun ((kind, _) as f) ->
      let prepare = if kind = "domctl.unpausedomain" then pause_first else ignore in
      (* A text is then asked for by another operation. *)
      let swallows errno = errno = "ENOSYS" && has_prefix "xen_version." kind in
      case basic_spec prepare swallows f)
    basic
  @ List.map
      (fun ((kind, _) as f) ->
        case control_spec prepare (fun _ -> kind = "domctl.deassign_device") f)
      control
  @ List.map (case control_spec prepare (fun _ -> true)) others
  @ List.map
      (case "domains=3000,cpus=2000,console_fill=4000000" ignore (fun _ -> false))
      [
        ("a list that does not fit", fun h -> ignore (Xenctrl.domain_getinfolist h 0));
        ("a snapshot that does not fit", fun h -> ignore (Xenctrl_domains.Snapshot.take h));
        ("a console that does not fit", fun h -> ignore (Xenctrl.readconsolering h));
        ("pCPUs", fun h -> ignore (Xenctrl.pcpu_info h 5000));
        ("affinity", fun h -> ignore (Xenctrl.vcpu_affinity_get h 1 0));
        ("keys", fun h -> Xenctrl.send_debug_keys h (String.make 100_000 'x'));
      ]
  @ [
      case
        ("extra_version=" ^ String.make 40_000 'x')
        ignore
        (fun errno -> errno = "ENOSYS")
        ("a text that does not fit", fun h -> ignore (Xenctrl.version h));
    ]

type outcome = Answer | Raised of string

let outcome f =
  match f () with
  | () -> Answer
  | exception Xenctrl.Error message -> Raised message

(* What the process holds of the simulated hypervisor's. *)
let held () = List.map Counters.get [ "handles"; "mapped_bytes" ]

let check_held what before =
  Alcotest.(check (list int)) (what ^ ": handles and mapped bytes") before (held ())

(* How often [f], and before it [prepare], do what [counter] counts. *)
let count counter { what; spec; prepare; call; _ } =
  configure spec;
  let h = Xenctrl.interface_open () in
  Counters.reset ();
  prepare h;
  let before = Counters.get counter in
  (match outcome (fun () -> call h) with
  | Answer -> ()
  | Raised message -> Alcotest.failf "%s fails by itself: %s" what message);
  let all = Counters.get counter in
  interface_close h;
  (before, all - before)

(* [f] with its [k]th of [kind] failing, for each [k]. *)
let check_each ~kind ~counter (errno, message) ({ what; spec; prepare; call; swallows } as case) =
  let before, most = count counter case in
  for k = 1 to most do
    let what = Printf.sprintf "%s, %s %d of %d: %s" what kind k most errno in
    let holding = held () in
    configure spec;
    let h = Xenctrl.interface_open () in
    configure (Printf.sprintf "%s,fault=%s:%s@%d" spec kind errno (before + k));
    prepare h;
    (match outcome (fun () -> call h) with
    | Raised raised ->
      if not (swallows errno && raised <> message) then check_string what message raised
    | Answer -> check_bool (what ^ ": an answer") true (swallows errno));
    (* The handle goes on, with errors of its own. *)
    check_int (what ^ ": afterwards") 4 (Xenctrl.version h).major;
    check_string (what ^ ": afterwards") esrch
      (error_of (fun () -> Xenctrl.domain_pause h 30000));
    interface_close h;
    check_held what holding
  done;
  most

let test_hypercalls () =
  Gc.full_major ();
  List.iter
    (fun case ->
      let made =
        List.map
          (fun errno -> check_each ~kind:"hypercalls" ~counter:"hypercalls" errno case)
          errnos
      in
      if case.what <> "map" then check_bool case.what true (List.for_all (fun n -> n > 0) made))
    cases

let test_buffers () =
  Gc.full_major ();
  let enomem = ("ENOMEM", "12: Cannot allocate memory") in
  let made =
    List.map (check_each ~kind:"buffer" ~counter:"buffer_allocations" enomem) cases
  in
  check_bool "some allocate" true (List.fold_left ( + ) 0 made >= 10)

let test_open () =
  Gc.full_major ();
  let refusal = "Unable to open XC interface: " in
  let check kind k (errno, message) =
    let what = Printf.sprintf "open, %s %d: %s" kind k errno in
    let holding = held () in
    configure (Printf.sprintf "domains=2,fault=%s:%s@%d" kind errno k);
    let raised = error_of (fun () -> ignore (Xenctrl.interface_open ())) in
    (* What a refused interface version looks like. *)
    if errno = "EACCES" && kind = "hypercalls" && k > 1 then check_prefix (refusal ^ "found") raised
    else check_string what (refusal ^ message) raised;
    check_held what holding;
    interface_close (Xenctrl.interface_open ())
  in
  List.iter
    (fun errno ->
      check "open" 1 errno;
      check "hypercalls" 1 errno)
    errnos;
  (* The two that confirm the interface versions want nothing but to be understood. *)
  check "hypercalls" 2 ("EACCES", "");
  check "hypercalls" 3 ("EACCES", "");
  check "buffer" 1 ("ENOMEM", "12: Cannot allocate memory")

let test_map () =
  List.iter
    (fun (errno, message) ->
      configure control_spec;
      let h = Xenctrl.interface_open () in
      configure (Printf.sprintf "%s,fault=map:%s@1" control_spec errno);
      prepare h;
      (match Xenctrl.map_foreign_range h 1 4096 0n with
      | _ -> Alcotest.fail "mapped"
      | exception Failure raised ->
        check_string errno ("xc_map_foreign_range error: " ^ message) raised);
      check_int "afterwards" 4 (Xenctrl.version h).major;
      interface_close h)
    errnos

(* More entries than there is room for, at every size of answer: told, and nothing beyond the
   buffer is read. *)
let test_overrun () =
  List.iter
    (fun (domains, overrun) ->
      let holding = held () in
      configure (Printf.sprintf "domains=%d,overrun=%d" domains overrun);
      let h = Xenctrl.interface_open () in
      let lists =
        [
          (fun () -> ignore (Xenctrl.domain_getinfolist h 0));
          (fun () -> ignore (Xenctrl._domain_getinfolist h 0 1));
          (fun () -> ignore (Xenctrl._domain_getinfolist h 0 2));
        ]
      in
      List.iter
        (fun list ->
          (* A claim that stays below what was asked for is not one too many. *)
          match outcome list with
          | Answer -> ()
          | Raised message -> check_prefix "5: Input/output error: the hypervisor reports" message)
        lists;
      check_prefix "5: Input/output error"
        (error_of (fun () -> ignore (Xenctrl._domain_getinfolist h 0 1)));
      check_int "afterwards" 4 (Xenctrl.version h).major;
      interface_close h;
      check_held "overrun" holding)
    [ (1, 1); (10, 1); (1167, 1); (1168, 4_000_000); (32752, 1); (5, 4_294_000_000) ]

(* The same of all else that a hypervisor counts. *)
let test_counts () =
  let calls =
    [
      ("characters", fun h -> ignore (Xenctrl.readconsolering h));
      ("pCPUs", fun h -> ignore (Xenctrl.pcpu_info h 8));
      ("pCPUs", fun h -> ignore (Xenctrl.pcpu_info h 5000));
      ("feature", fun h -> ignore (Xenctrl.get_cpu_featureset h Featureset_raw));
    ]
  in
  List.iter
    (fun overrun ->
      let holding = held () in
      (* A buffer that grew for ever would come to its end at the eighth. *)
      configure (Printf.sprintf "domains=10,overrun=%d,fault=buffer:ENOMEM@8+" overrun);
      let h = Xenctrl.interface_open () in
      List.iter
        (fun (what, call) ->
          let message = error_of (fun () -> call h) in
          check_prefix "5: Input/output error: the hypervisor reports " message;
          check_bool message true (List.mem what (String.split_on_char ' ' message)))
        calls;
      check_int "afterwards" 4 (Xenctrl.version h).major;
      interface_close h;
      check_held "overrun" holding)
    [ 1; 4096; 4_294_967_295 ]

(* A number of pCPUs for which no hypervisor is built: no memory is allocated by it. *)
let test_too_many_cpus () =
  List.iter
    (fun max_cpu_id ->
      let holding = held () in
      configure (Printf.sprintf "domains=10,max_cpu_id=%d" max_cpu_id);
      let h = Xenctrl.interface_open () in
      List.iter
        (fun call -> check_string "told" "5: Input/output error" (error_of (fun () -> call h)))
        [
          (fun h -> ignore (Xenctrl.vcpu_affinity_get h 1 0));
          (fun h -> Xenctrl.vcpu_affinity_set h 1 0 [| true |]);
        ];
      check_int "afterwards" 4 (Xenctrl.version h).major;
      interface_close h;
      check_held "pCPUs" holding)
    [ 1_048_575; 4_294_967_294; 4_294_967_295 ]

(* Domids that do not ascend: no list is made of them, and what does not need their order is
   answered. *)
let test_disorder () =
  let holding = held () in
  configure "domains=300,disorder=yes";
  let h = Xenctrl.interface_open () in
  let refused what list =
    check_string what "5: Input/output error: the hypervisor's list of domains is not in order"
      (error_of (fun () -> ignore (list ())))
  in
  refused "list" (fun () -> Xenctrl.domain_getinfolist h 0);
  refused "from a domid on" (fun () -> Xenctrl.domain_getinfolist h 100);
  refused "chunk" (fun () -> Xenctrl._domain_getinfolist h 0 2);
  check_int "one" 7 (Xenctrl.domain_getinfo h 7).domid;
  check_int "found" 1
    (List.length
       (Xenctrl_domains.find_by_uuid h
          (Xenctrl_domains.Uuid.of_handle (Xenctrl.domain_getinfo h 7).handle)));
  interface_close h;
  check_held "disorder" holding

(* Domains that appear for ever: the buffer has a largest size. *)
let test_endless_growth () =
  configure "domains=30000,domids=dense,grow=32752";
  let h = Xenctrl.interface_open () in
  Counters.reset ();
  check_int "all there can be" 32752 (List.length (Xenctrl.domain_getinfolist h 0));
  check_bool "few hypercalls" true (Counters.get "sysctl.getdomaininfolist" <= 8);
  interface_close h

let () =
  Alcotest.run
    (Printf.sprintf "Faults on xensim %s" release)
    [
      ("hypercalls", [ test "each, each errno" test_hypercalls ]);
      ( "buffers, opening, mapping",
        [
          test "each buffer" test_buffers;
          test "opening" test_open;
          test "mapping" test_map;
        ] );
      ( "hostile answers",
        [
          test "more than asked for" test_overrun;
          test "more of all else" test_counts;
          test "too many pCPUs" test_too_many_cpus;
          test "out of order" test_disorder;
          test "endless growth" test_endless_growth;
        ] );
    ]
