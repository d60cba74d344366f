(* Where the tests run: on xensim, configured anew for each test, or in a real Xen's dom0, where
   domains are created and destroyed to make what a test wants. *)

open Test_support

let on_sim = Xensim.available ()

(* The release that runs, "4.17" to "4.22". The runner says it; a test compares. *)
let release =
  match Sys.getenv_opt "TEST_XEN_RELEASE" with
  | Some release -> release
  | None -> failwith "TEST_XEN_RELEASE: which release runs? (see tests/run)"

let minor = Scanf.sscanf release "4.%d%!" Fun.id

(* Debian's libxenctrl of the build machine is of one release. Its list works where the sysctl
   interface is the same. *)
let oracle_lists = minor <= 20

(* A new hypervisor, in which every argument outside a hypercall buffer faults. *)
let configure spec =
  if on_sim then
    Xensim.configure
      (Printf.sprintf "version=%s,strict=yes%s" release
         (if spec = "" then "" else "," ^ spec))

let config =
  Xenctrl.
    {
      ssidref = 0l;
      handle = "00000000-0000-0000-0000-000000000000";
      flags = [];
      iommu_opts = [];
      max_vcpus = 1;
      max_evtchn_port = -1;
      max_grant_frames = -1;
      max_maptrack_frames = -1;
      max_grant_version = 1;
      altp2m_opts = 0l;
      vmtrace_buf_kb = 0l;
      cpupool_id = 0l;
      arch = X86 { emulation_flags = []; misc_flags = [] };
    }

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

(* How much [f] adds to a counter. *)
let counted name f =
  Counters.reset ();
  let result = f () in
  (result, Counters.get name)
