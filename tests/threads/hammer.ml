(* Eight threads (on OCaml 5 in four domains, in parallel) that use one handle and many, for some
   seconds, while signals arrive whose handlers raise or end the thread. Every answer is checked.
   On xensim.

     hammer [SECONDS [SEED]] *)

open Test_support
open Test_externals

external interface_close : Xenctrl.handle -> unit = "stub_xc_interface_close"

exception Signalled
exception Wrong of string

let wrong fmt = Printf.ksprintf (fun text -> raise (Wrong text)) fmt
let workers = 8
let seconds = if Array.length Sys.argv > 1 then float_of_string Sys.argv.(1) else 5.

let seed =
  if Array.length Sys.argv > 2 then int_of_string Sys.argv.(2)
  else begin
    Random.self_init ();
    Random.bits ()
  end

let guests = 200
let missing = 30000

let () =
  Xensim.configure
    (Printf.sprintf
       "version=4.20,strict=yes,domains=%d,domids=dense,clock=frozen,cpus=16,delay=domctl.pausedomain:200us"
       (guests + 1))

(* {1 Signals} *)

(* What the handler does in a thread: nothing (other threads than workers, and workers between
   two steps), raise once, or end the thread. *)
type fate = Calm | Raise | End

module Threads = Map.Make (Int)

let fates : fate Atomic.t Threads.t Atomic.t = Atomic.make Threads.empty
let raised = Atomic.make 0
let ended = Atomic.make 0

(* Threads that a handler ends and that are not at their end yet. *)
let short_lives = Atomic.make 0

let rec change f =
  let before = Atomic.get fates in
  if not (Atomic.compare_and_set fates before (f before)) then change f

(* The calling thread's fate while [f] runs; it begins calm. *)
let with_fate f =
  let id = Thread.id (Thread.self ()) and fate = Atomic.make Calm in
  change (Threads.add id fate);
  f fate;
  Atomic.set fate Calm;
  change (Threads.remove id)

let on_signal _ =
  match Threads.find_opt (Thread.id (Thread.self ())) (Atomic.get fates) with
  | None -> ()
  | Some fate -> (
    match Atomic.exchange fate Calm with
    | Calm -> ()
    | Raise ->
      Atomic.incr raised;
      raise Signalled
    | End ->
      Atomic.incr ended;
      Atomic.decr short_lives;
      Thread.exit () [@warning "-3"])

(* {1 What a worker does} *)

type worker = {
  number : int;
  random : Random.State.t;
  shared : Xenctrl.handle;
  rotating : Xenctrl.handle Atomic.t;  (* closed under those who use it *)
  mutable own : Xenctrl.handle;
  domid : int;  (* a domain that no other worker changes *)
}

let host = Atomic.make None
let closed = "9: Bad file descriptor: the handle is closed"

let error_of f =
  match f () with _ -> "no exception" | exception Xenctrl.Error message -> message

let expect what wanted got = if wanted <> got then wrong "%s: %S, not %S" what got wanted

let config number uuid =
  let uuid = Printf.sprintf "%08x-0000-4000-8000-%012x" number uuid in
  { (Guest_config.hvm uuid [ X86_EMU_LAPIC ]) with max_vcpus = 2 }

let text_of_handle bytes =
  let hex = String.concat "" (Array.to_list (Array.map (Printf.sprintf "%02x") bytes)) in
  let part at length = String.sub hex at length in
  String.concat "-" [ part 0 8; part 8 4; part 12 4; part 16 4; part 20 12 ]

let owner (d : Xenctrl.domaininfo) =
  (d.handle.(0) lsl 24) lor (d.handle.(1) lsl 16) lor (d.handle.(2) lsl 8) lor d.handle.(3)

(* Any handle of those that stay open. *)
let handle w = if Random.State.bool w.random then w.shared else w.own

let rec ascending = function
  | (a : Xenctrl.domaininfo) :: (b :: _ as rest) -> a.domid < b.domid && ascending rest
  | _ -> true

(* All guests of the start and all workers' are in every list, in order. *)
let list w =
  let domains = Xenctrl.domain_getinfolist (handle w) 0 in
  if not (ascending domains) then wrong "a list that does not ascend";
  let before = List.filter (fun (d : Xenctrl.domaininfo) -> d.domid <= guests + workers) domains in
  if List.length before <> 1 + guests + workers then wrong "%d domains" (List.length before);
  match List.find_opt (fun (d : Xenctrl.domaininfo) -> d.domid = w.domid) domains with
  | None -> wrong "domain %d is not listed" w.domid
  | Some d -> if owner d <> w.number then wrong "domain %d is %d's" w.domid (owner d)

let one w =
  let domid = Random.State.int w.random (guests + workers) in
  let d = Xenctrl.domain_getinfo (handle w) domid in
  if d.domid <> domid then wrong "domain %d for %d" d.domid domid

let uuid w =
  let uuid = (config w.number (Random.State.bits w.random)).handle in
  Xenctrl.domain_sethandle (handle w) w.domid uuid;
  expect "uuid" uuid (text_of_handle (Xenctrl.domain_getinfo (handle w) w.domid).handle)

(* A snapshot of this worker's own, and a domain by its UUID. *)
let snapshot w =
  let open Xenctrl_domains in
  let s = Snapshot.take (handle w) in
  let i = Snapshot.index s w.domid in
  if Snapshot.domid s i <> w.domid then wrong "number %d is domain %d" (i :> int) (Snapshot.domid s i);
  let uuid = Snapshot.uuid s i in
  if owner (Snapshot.domaininfo s i) <> w.number then wrong "domain %d is another's" w.domid;
  (match find_by_uuid ~hint:(if Random.State.bool w.random then w.domid else 1) (handle w) uuid with
  | [ d ] when d.domid = w.domid -> ()
  | found -> wrong "%d domains with the UUID of domain %d" (List.length found) w.domid);
  Snapshot.retake (handle w) s;
  if not (Snapshot.has_uuid s (Snapshot.index s w.domid) uuid) then wrong "another UUID";
  if Random.State.bool w.random then Snapshot.free s

let affinity w =
  let set = Array.init 16 (fun i -> i = 0 || Random.State.bool w.random) in
  Xenctrl.vcpu_affinity_set (handle w) w.domid 0 set;
  if Xenctrl.vcpu_affinity_get (handle w) w.domid 0 <> set then wrong "affinity"

let parameter w =
  let value = Random.State.int64 w.random 0xFFFFFL in
  Xenctrl.hvm_param_set (handle w) w.domid HVM_PARAM_STORE_PFN value;
  if Xenctrl.hvm_param_get (handle w) w.domid HVM_PARAM_STORE_PFN <> value then wrong "parameter"

let limit w =
  let pages = 1 + Random.State.int w.random 100_000 in
  Xenctrl.domain_setmaxmem (handle w) w.domid (Int64.of_int (4 * pages));
  let got = (Xenctrl.domain_getinfo (handle w) w.domid).max_memory_pages in
  if Nativeint.to_int got <> pages then wrong "%nd pages, not %d" got pages

let pause w =
  Xenctrl.domain_pause (handle w) w.domid;
  if not (Xenctrl.domain_getinfo (handle w) w.domid).paused then wrong "not paused";
  Xenctrl.domain_unpause (handle w) w.domid

let errors w =
  let h = handle w in
  expect "no domain" "3: No such process" (error_of (fun () -> Xenctrl.domain_pause h missing));
  expect "no vCPU" "22: Invalid argument"
    (error_of (fun () -> ignore (Xenctrl.vcpu_affinity_get h w.domid 7)));
  match Xenctrl.domain_pause h (-1) with
  | () -> wrong "domid -1"
  | exception Invalid_argument _ -> ()

let read_host h =
  Xenctrl.
    ( physinfo h, version h, version_compile_info h, version_changeset h, version_capabilities h,
      get_cpu_featureset h Featureset_host, sched_id h )

(* What never changes (free memory may). *)
let host w =
  let (physinfo, a, b, c, d, e, f) = read_host (handle w) in
  let got = ({ physinfo with free_pages = 0n }, a, b, c, d, e, f) in
  if not (Atomic.compare_and_set host None (Some got)) && Atomic.get host <> Some got then
    wrong "the host has changed"

let console w =
  if String.length (Xenctrl.readconsolering (handle w)) < 10 then wrong "the console is empty"

let memory w =
  let m = Xenctrl.map_foreign_range (handle w) 1 4096 0n in
  Fun.protect
    ~finally:(fun () -> Xenmmap.unmap m)
    (fun () ->
      let text = Printf.sprintf "worker %d: %d" w.number (Random.State.bits w.random) in
      (* Each has a part of the page. *)
      let at = 256 * w.number in
      Xenmmap.write m text at;
      expect "memory" text (Xenmmap.read m at (String.length text)))

let channel w =
  let h = handle w in
  let port = Xenctrl.evtchn_alloc_unbound h w.domid 0 in
  if Xenctrl.evtchn_status h w.domid port <> Some { vcpu = 0; status = EVTCHNSTAT_unbound 0 } then
    wrong "port %d" port;
  Xenctrl.evtchn_reset h w.domid

(* Domains of this worker that an interrupted call left are destroyed the next time. *)
let life w =
  let mark = 0x1000 + w.number in
  let h = handle w in
  List.iter
    (fun (d : Xenctrl.domaininfo) -> if owner d = mark then Xenctrl.domain_destroy h d.domid)
    (Xenctrl.domain_getinfolist h 0);
  let domid = Xenctrl.domain_create h (config mark (Random.State.bits w.random)) in
  if owner (Xenctrl.domain_getinfo (handle w) domid) <> mark then wrong "another's domain %d" domid;
  Xenctrl.domain_destroy h domid;
  expect "destroyed" "3: No such process"
    (error_of (fun () -> ignore (Xenctrl.domain_getinfo h domid)))

(* The own handle is closed, or left to the collector. *)
let reopen w =
  let old = w.own in
  w.own <- Xenctrl.interface_open ();
  if Random.State.bool w.random then begin
    interface_close old;
    expect "closed" closed (error_of (fun () -> Xenctrl.domain_pause old 1));
    expect "closed twice" closed (error_of (fun () -> interface_close old))
  end

(* Closes a handle that others may be using at this moment. *)
let rotate w =
  let old = Atomic.exchange w.rotating (Xenctrl.interface_open ()) in
  interface_close old

let used_while_closed w =
  let h = Atomic.get w.rotating in
  match Xenctrl.domain_getinfo h w.domid with
  | d -> if d.domid <> w.domid then wrong "domain %d for %d" d.domid w.domid
  | exception Xenctrl.Error message -> expect "closed under way" closed message

(* Any external on a domain that is not there, one of those that leave no trace. *)
let harmless =
  let left_out =
    [ "stub_xc_domain_create"; "stub_xc_watchdog"; "stub_xc_send_debug_keys"; "stub_pages_to_kib" ]
  in
  List.filter (fun (e : Externals.t) -> not (List.mem e.name left_out)) Externals.all
  |> Array.of_list

let any_external w =
  let n = Random.State.int w.random 64 in
  let e = harmless.(Random.State.int w.random (Array.length harmless)) in
  let arguments : Externals.arguments =
    {
      domid = missing; remote = 0; n; m = n; quad = (0, 3, 0, 0); int32 = 10l;
      int64 = Int64.of_int n; frame = Nativeint.of_int n; frames = 1n; flag = true;
      flags = Array.make 16 true; text = "h"; uuid = (config 0 n).handle; choice = n;
      config = config 0 n;
    }
  in
  match e.call (handle w) arguments with
  | () -> ()
  | exception Xenctrl.Error _ -> ()
  | exception Invalid_argument _ -> ()
  | exception Failure _ when e.fails -> ()

(* A thread that makes calls until the handler ends it. *)
let short_lived w =
  let seed = Random.State.bits w.random and h = w.shared in
  let life () =
    let random = Random.State.make [| seed |] in
    Atomic.incr short_lives;
    with_fate (fun fate ->
        Atomic.set fate End;
        for _ = 1 to 50 do
          ignore (Sys.opaque_identity (Xenctrl.domain_getinfolist h 0));
          ignore (Sys.opaque_identity (Xenctrl.domain_getinfo h (Random.State.int random guests)))
        done);
    Atomic.decr short_lives
  in
  Thread.join (Thread.create life ())

let steps =
  [|
    list; list; one; one; uuid; snapshot; snapshot; affinity; parameter; limit; pause; errors; host; console; memory;
    channel; life; reopen; rotate; used_while_closed; used_while_closed; any_external;
    any_external; any_external; short_lived;
  |]

(* {1 All of them} *)

let calls = Atomic.make 0
let failure = Atomic.make None

let work w deadline () =
  with_fate @@ fun fate ->
  while Unix.gettimeofday () < deadline && Atomic.get failure = None do
    let step = Random.State.int w.random (Array.length steps) in
    match
      Atomic.set fate Raise;
      steps.(step) w;
      Atomic.set fate Calm
    with
    | () -> Atomic.incr calls
    | exception (Signalled | Fun.Finally_raised Signalled) -> ()
    | exception e ->
      Atomic.set fate Calm;
      Atomic.set failure
        (Some (Printf.sprintf "worker %d, step %d: %s" w.number step (Printexc.to_string e)))
  done

let () =
  let shared = Xenctrl.interface_open () in
  let rotating = Atomic.make (Xenctrl.interface_open ()) in
  let worker i =
    let number = 1 + i in
    let domid = Xenctrl.domain_create shared (config number 0) in
    Xenctrl.domain_max_vcpus shared domid 2;
    if domid <> guests + number then failwith "the domids are not dense";
    {
      number; random = Random.State.make [| seed; i |]; shared; rotating;
      own = Xenctrl.interface_open (); domid;
    }
  in
  let all = List.init workers worker in
  let deadline = Unix.gettimeofday () +. seconds in
  let old = Sys.signal Sys.sigalrm (Signal_handle on_signal) in
  let every interval =
    ignore (Unix.setitimer ITIMER_REAL { it_interval = interval; it_value = interval })
  in
  every 0.001;
  Parallel.run (List.map (fun w -> work w deadline) all);
  (* One that nobody joined, since its worker was interrupted meanwhile. *)
  while Atomic.get short_lives > 0 do
    Thread.delay 0.01
  done;
  every 0.;
  Sys.set_signal Sys.sigalrm old;
  Printf.printf "%d %s, %g s: %d steps, %d exceptions and %d ends of a thread by a handler, seed %d\n"
    workers Parallel.what seconds (Atomic.get calls) (Atomic.get raised) (Atomic.get ended) seed;
  let fail message =
    prerr_endline ("hammer: " ^ message);
    exit 1
  in
  Option.iter fail (Atomic.get failure);
  if Atomic.get calls = 0 || Atomic.get raised = 0 || Atomic.get ended = 0 then
    fail "nothing was interrupted";
  (* Nothing is left of what was interrupted, once all is closed or collected. *)
  List.iter (fun w -> interface_close w.own) all;
  interface_close shared;
  interface_close (Atomic.get rotating);
  Gc.full_major ();
  Gc.full_major ();
  match Counters.get "handles" with
  | 0 -> ()
  | n -> fail (Printf.sprintf "%d handles are still open" n)
