(* Memory runs out in the middle of a call, at each of its allocations in turn: the call ends in an
   exception that says so, or in the right answer, and leaves nothing behind. *)

open Test_support
open World
open Externals

let enomem = "12: Cannot allocate memory"

type outcome = Answer | No_memory

(* What an exception for want of memory looks like. *)
let outcome what = function
  | Ok () -> Answer
  | Error Out_of_memory -> No_memory
  | Error (Xenctrl.Error message | Failure message) when
      message = enomem
      || message = "Unable to open XC interface: " ^ enomem
      || message = "xc_map_foreign_range error: " ^ enomem ->
    No_memory
  | Error e -> Alcotest.failf "%s: %s" what (Printexc.to_string e)

(* OCaml 5 keeps the lock of its roots when it has no memory to register one, and then stands still.
   It registers one to keep a backtrace, and the stubs have theirs registered by a first call. *)
let spare_ocaml_5 () =
  if Sys.ocaml_version.[0] >= '5' then begin
    Printexc.record_backtrace false;
    ignore (Xenctrl.pages_to_kib 1L)
  end

(* An empty minor heap, so that no call has to promote what others left; and no room to spare in
   the major heap, so that a large result makes it grow. *)
let tidy () =
  spare_ocaml_5 ();
  Gc.compact ()

(* [f ()] makes a call and all that it needs before it. Returns how many ended for want of
   memory. *)
let each_allocation ?(warm = true) ~count what f =
  (* Once with all the memory there is: the C library ends a process that has none for the
     thread-local data of a library that was loaded late, as the simulator is under bytecode. *)
  if warm then begin
    let call, check_after = f () in
    call ();
    check_after what
  end;
  let rec nth first failures =
    if first > 500 then Alcotest.failf "%s: no end of allocations" what;
    let call, check_after = f () in
    tidy ();
    let result, seen = Scarce.run ~first ~count call in
    let what = Printf.sprintf "%s, allocation %d" what first in
    let failed = outcome what result = No_memory in
    check_after what;
    if seen < first then begin
      check_bool (what ^ ": there is memory") false failed;
      failures
    end
    else nth (first + 1) (if failed then failures + 1 else failures)
  in
  nth 1 0

let held () = List.map Counters.get [ "handles"; "mapped_bytes" ]

let check_held what before =
  Alcotest.(check (list int)) (what ^ ": handles and mapped bytes") before (held ())

let on_handle spec prepare call () =
  let before = held () in
  configure spec;
  let h = Xenctrl.interface_open () in
  prepare h;
  let check_after what =
    check_int (what ^ ": afterwards") 4 (Xenctrl.version h).major;
    check_string (what ^ ": afterwards") esrch (error_of (fun () -> Xenctrl.domain_pause h 30000));
    interface_close h;
    check_held what before
  in
  ((fun () -> call h), check_after)

let large_spec = "domains=1000,cpus=4000,console_fill=4000000,hvm=0,pvh=0"

let large =
  [
    ("console", fun h -> ignore (Sys.opaque_identity (Xenctrl.readconsolering h)));
    ("list", fun h -> ignore (Sys.opaque_identity (Xenctrl.domain_getinfolist h 0)));
    ("pCPUs", fun h -> ignore (Sys.opaque_identity (Xenctrl.pcpu_info h 5000)));
    ("affinity", fun h -> ignore (Sys.opaque_identity (Xenctrl.vcpu_affinity_get h 1 0)));
    ("context", fun h -> ignore (Sys.opaque_identity (Xenctrl.vcpu_context_get h 1 0)));
  ]

let pause_2 h = Xenctrl.domain_pause h 2

(* One allocation fails, or all from one on. *)
let ways = [ ("one", 1); ("all from", max_int / 4) ]

let test_calls () =
  List.iter
    (fun (way, count) ->
      let check spec prepare (what, call) =
        ignore (each_allocation ~count (what ^ ", " ^ way) (on_handle spec prepare call))
      in
      List.iter
        (fun ((kind, _) as f) ->
          check basic_spec (if kind = "domctl.unpausedomain" then pause_2 else ignore) f)
        basic;
      List.iter (check control_spec prepare) (control @ others))
    ways

let test_large () =
  List.iter
    (fun (way, count) ->
      List.iter
        (fun (what, call) ->
          let failures =
            each_allocation ~count (what ^ ", " ^ way) (on_handle large_spec ignore call)
          in
          progress "  %s, %s: %d for want of memory" what way failures;
          (* Something as large as this cannot have been had from nowhere. *)
          if what = "console" then check_bool what true (failures > 0))
        large)
    ways

let test_open () =
  List.iter
    (fun (way, count) ->
      let before = held () in
      let opened () =
        configure "domains=2";
        let handle = ref None in
        let call () = handle := Some (Xenctrl.interface_open ()) in
        let check_after what =
          Option.iter
            (fun h ->
              check_int (what ^ ": afterwards") 4 (Xenctrl.version h).major;
              interface_close h)
            !handle;
          handle := None;
          check_held what before
        in
        (call, check_after)
      in
      ignore (each_allocation ~warm:false ~count ("open, " ^ way) opened))
    ways

(* A message that quotes a large argument, and arguments that are copied. *)
let test_arguments () =
  let long = String.make 4_000_000 'x' in
  configure "domains=3";
  let h = Xenctrl.interface_open () in
  List.iter
    (fun (_, count) ->
      let calls =
        [
          (fun () -> Xenctrl.send_debug_keys h long);
          (fun () ->
            match Xenctrl.domain_sethandle h 1 long with
            | () -> Alcotest.fail "accepted"
            | exception Invalid_argument _ -> ());
        ]
      in
      List.iter
        (fun call -> ignore (each_allocation ~count "argument" (fun () -> (call, ignore))))
        calls)
    ways;
  interface_close h

(* What a result that could not be allocated was made of is freed: 8 MB a time. *)
let test_nothing_is_left () =
  configure "domains=3,cpus=4096,console_fill=8000000";
  let before = held () in
  let h = Xenctrl.interface_open () in
  ignore (Xenctrl.readconsolering h);
  let fail () =
    tidy ();
    (* The copy is had, OCaml's block is not. *)
    match Scarce.run ~first:2 ~count:(max_int / 4) (fun () -> ignore (Xenctrl.readconsolering h)) with
    | Error Out_of_memory, _ -> ()
    | Ok (), _ -> Alcotest.fail "there was memory"
    | Error e, _ -> raise e
  in
  fail ();
  let resident = Memory.resident_kib () in
  for _ = 1 to 20 do
    fail ()
  done;
  let growth = Memory.resident_kib () - resident in
  if growth > 40_000 then Alcotest.failf "20 failures leave %d KiB" growth;
  interface_close h;
  check_held "nothing is left" before

let () =
  Gc.set { (Gc.get ()) with minor_heap_size = 1 lsl 20 };
  Alcotest.run
    (Printf.sprintf "Scarce memory on xensim %s" release)
    [
      ( "want of memory",
        [
          (* First, since what is loaded and registered once is not asked for again. *)
          test "opening" test_open;
          test "each call" test_calls;
          test "large results" test_large;
          test "large arguments" test_arguments;
          test "nothing is left" test_nothing_is_left;
        ] );
    ]
