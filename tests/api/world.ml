(* Where the tests run: on xensim, configured anew for each test, or in a real Xen's dom0, where
   domains are created and destroyed to make what a test wants. *)

open Test_support
open Test_externals.Records

let check_int = Alcotest.(check int)
let check_bool = Alcotest.(check bool)
let check_string = Alcotest.(check string)

(* In the interface of 4.17 alone, but in every archive. *)
external interface_close : Xenctrl.handle -> unit = "stub_xc_interface_close"

(* The message of the [Xenctrl.Error] that [f] must raise. *)
let error_of f =
  match f () with
  | _ -> Alcotest.fail "no exception"
  | exception Xenctrl.Error message -> message

let esrch = "3: No such process"

let has_prefix prefix s =
  String.length s >= String.length prefix
  && String.sub s 0 (String.length prefix) = prefix

let check_prefix prefix s =
  if not (has_prefix prefix s) then Alcotest.failf "%S does not begin with %S" s prefix

(* An argument that no hypercall is made for. *)
let refused what f =
  Counters.reset ();
  (match f () with
  | _ -> Alcotest.failf "%s: accepted" what
  | exception Invalid_argument message -> check_bool (what ^ ": says why") true (message <> ""));
  if Counters.source () <> `None then check_int (what ^ ": hypercalls") 0 (Counters.get "hypercalls")

(* Outside of the 16 bits in which hypercalls have domids. *)
let bad_domids = [ -1; 65536; 65537; 1 lsl 32; max_int; min_int ]

let on_sim = Xensim.available ()

let test name f = Alcotest.test_case name `Quick f

(* Tests of what only the simulator can be told to do are not listed elsewhere at all. *)
let sim_only tests = if on_sim then tests else []

(* The release that runs, "4.17" to "4.22". The runner says it; a test compares. *)
let release =
  match Sys.getenv_opt "TEST_XEN_RELEASE" with
  | Some release -> release
  | None -> failwith "TEST_XEN_RELEASE: which release runs? (see tests/run)"

let minor = Scanf.sscanf release "4.%d%!" Fun.id

(* The build machine's libxenctrl is of one release. What it can ask this one: lists, where the
   sysctl interface is the same, and of single domains, where the domctl interface is. *)
let oracle_lists, oracle_asks =
  let sysctl, domctl = Oracle.interfaces () in
  ( sysctl = (if minor <= 20 then 0x15 else 0x16),
    domctl
    =
    match minor with
    | 17 -> 0x15
    | 18 -> 0x16
    | 19 | 20 | 21 -> 0x17
    | _ -> 0x18 )

(* A new hypervisor, in which every argument outside a hypercall buffer faults. *)
let configure spec =
  if on_sim then
    Xensim.configure
      (Printf.sprintf "version=%s,strict=yes%s" release
         (if spec = "" then "" else "," ^ spec))

let config = Guest_config.pv "00000000-0000-0000-0000-000000000000"

let uuid_of_domid domid =
  Printf.sprintf "c0ffee00-0000-4000-8000-%012x" domid

let create h ?domid n =
  Xenctrl.domain_create h ?domid { config with handle = uuid_of_domid n }

(* Guests of a real Xen that this program made. *)
let made : (int, unit) Hashtbl.t = Hashtbl.create 1000

let destroy h domid =
  Xenctrl.domain_destroy h domid;
  Hashtbl.remove made domid

(* A destroyed domain is listed until the hypervisor has freed it. *)
let rec wait_until ?(tries = 1000) what condition =
  if not (condition ()) then
    if tries = 0 then Alcotest.failf "in vain waited for %s" what
    else begin
      ignore (Unix.select [] [] [] 0.01);
      wait_until ~tries:(tries - 1) what condition
    end

let progress fmt =
  Printf.ksprintf
    (fun text ->
      prerr_string (text ^ "\n");
      flush stderr)
    fmt

(* Makes a real Xen hold dom0 and exactly these guests. *)
let populate h domids =
  let wanted = Hashtbl.create 1000 in
  List.iter (fun domid -> Hashtbl.replace wanted domid ()) domids;
  let surplus =
    Hashtbl.fold
      (fun domid () acc -> if Hashtbl.mem wanted domid then acc else domid :: acc)
      made []
  in
  List.iter (destroy h) surplus;
  (* Including what other tests destroyed: their domids are wanted. *)
  wait_until "the end of other domains" (fun () ->
      List.length (Xenctrl.domain_getinfolist h 0) = 1 + Hashtbl.length made);
  let absent = List.filter (fun domid -> not (Hashtbl.mem made domid)) domids in
  List.iteri
    (fun i domid ->
      if i mod 4000 = 3999 then progress "  %d domains created" (i + 1);
      ignore (create h ~domid domid);
      Hashtbl.replace made domid ())
    absent;
  wait_until "the domains" (fun () ->
      List.length (Xenctrl.domain_getinfolist h 0) = 1 + List.length domids)

type spread = Dense | Sparse

(* [guests] beside dom0: domids in a row, or with gaps. *)
let with_guests ?(spread = Dense) guests f =
  configure
    (Printf.sprintf "domains=%d,domids=%s" (guests + 1)
       (match spread with Dense -> "dense" | Sparse -> "sparse"));
  let h = Xenctrl.interface_open () in
  if not on_sim then begin
    let step = match spread with Dense -> 1 | Sparse -> max 1 (min 7 (32751 / max 1 guests)) in
    populate h (List.init guests (fun i -> (i + 1) * step))
  end;
  f h

(* The greatest number of guests that this run can have. *)
let most_guests =
  match Sys.getenv_opt "TEST_MOST_GUESTS" with
  | Some n -> int_of_string n
  | None -> 32751

(* On xensim beside others; the domain is gone afterwards. *)
let with_domain ?(spec = "domains=3") ?(config = config) f =
  configure spec;
  let h = Xenctrl.interface_open () in
  let domid = Xenctrl.domain_create h config in
  Fun.protect
    ~finally:(fun () -> try Xenctrl.domain_destroy h domid with Xenctrl.Error _ -> ())
    (fun () -> f h domid)

let domids = List.map (fun (d : Xenctrl.domaininfo) -> d.domid)

(* The same domains in the same state; what only time changes may differ. *)
let check_records what theirs ours =
  check_int (what ^ ": length") (List.length theirs) (List.length ours);
  List.iter2
    (fun (theirs : Xenctrl.domaininfo) (ours : Xenctrl.domaininfo) ->
      if still theirs <> still ours then
        Alcotest.failf "%s: the records of domain %d differ" what theirs.domid)
    theirs ours

(* How much [f] adds to a counter. *)
let counted name f =
  Counters.reset ();
  let result = f () in
  (result, Counters.get name)

let in_child f =
  flush_all ();
  match Unix.fork () with
  | 0 ->
    let status =
      try
        f ();
        0
      with e ->
        prerr_endline ("child: " ^ Printexc.to_string e);
        1
    in
    Unix._exit status
  | pid -> (
    match Unix.waitpid [] pid with
    | _, WEXITED 0 -> ()
    | _, WEXITED n -> Alcotest.failf "the child ended with %d" n
    | _, (WSIGNALED n | WSTOPPED n) -> Alcotest.failf "the child died by signal %d" n)

(* {1 What holds for every function that makes a hypercall} *)

let errnos =
  [
    ("EPERM", "1: Operation not permitted"); ("ESRCH", esrch); ("EAGAIN", "11: Resource temporarily unavailable");
    ("ENOMEM", "12: Cannot allocate memory"); ("EACCES", "13: Permission denied"); ("EFAULT", "14: Bad address");
    ("EBUSY", "16: Device or resource busy"); ("EINVAL", "22: Invalid argument");
    ("ENOSYS", "38: Function not implemented"); ("EOPNOTSUPP", "95: Operation not supported");
  ]

(* The operation of xen_version that answers with a text of any length, or the one before 4.20 that
   cuts it. *)
let text name = "xen_version." ^ name ^ if minor >= 20 then "2" else ""

(* Where the former is missing the latter is made, so that this is not an error. *)
let falls_back kind errno =
  minor >= 20 && errno = "ENOSYS"
  && List.mem kind (List.map text [ "extraversion"; "changeset"; "capabilities" ])

(* A fault that is ordered, for each function and errno: [functions] are the kind of hypercall
   that is to fail, and a call. It is set up after the handle is open: opening makes hypercalls of
   its own. *)
let check_faults ?(spec = "domains=5,domids=dense") ?(prepare = fun _ -> ()) functions =
  List.iter
    (fun (kind, call) ->
      List.iter
        (fun (errno, message) ->
          configure spec;
          let h = Xenctrl.interface_open () in
          configure (Printf.sprintf "%s,fault=%s:%s@1" spec kind errno);
          if kind = "domctl.unpausedomain" then Xenctrl.domain_pause h 2;
          prepare h;
          if falls_back kind errno then call h
          else check_string (kind ^ " " ^ errno) message (error_of (fun () -> call h));
          (* The error of this call, and of no other: the handle goes on. *)
          call h;
          check_string "later" esrch (error_of (fun () -> Xenctrl.domain_pause h 30000)))
        errnos)
    functions

(* While a hypercall lasts other threads run OCaml code. On a busy machine it may take more than one
   attempt to see that; where the lock is kept none shows more than the switches before and after. *)
let check_lock_is_released ?(spec = "domains=5,domids=dense") ?(prepare = fun _ -> ()) functions =
  let ticks_during kind call =
    configure spec;
    let h = Xenctrl.interface_open () in
    configure (Printf.sprintf "%s,delay=%s:60ms" spec kind);
    if kind = "domctl.unpausedomain" then Xenctrl.domain_pause h 2;
    prepare h;
    let ticks = ref 0 and stop = ref false in
    let ticker =
      Thread.create
        (fun () ->
          while not !stop do
            incr ticks;
            Thread.delay 0.002
          done)
        ()
    in
    Thread.delay 0.01;
    let before = !ticks in
    call h;
    let during = !ticks - before in
    stop := true;
    Thread.join ticker;
    during
  in
  let rec check ?(attempts = 20) (kind, call) =
    let during = ticks_during kind call in
    if during < 5 then
      if attempts = 1 then Alcotest.failf "%s: %d ticks in 60 ms" kind during
      else check ~attempts:(attempts - 1) (kind, call)
  in
  List.iter check functions
