type arguments = {
  domid : int;
  remote : int;
  n : int;
  m : int;
  quad : int * int * int * int;
  int32 : int32;
  int64 : int64;
  frame : nativeint;
  frames : nativeint;
  flag : bool;
  flags : bool array;
  text : string;
  uuid : string;
  choice : int;
  config : Xenctrl.domctl_create_config;
}

exception Bad_answer of string

type t = {
  name : string;
  fails : bool;
  call : Xenctrl.handle -> arguments -> unit;
}

let bad fmt = Printf.ksprintf (fun text -> raise (Bad_answer text)) fmt
let choose all choice = List.nth all (abs (choice mod List.length all))

let reasons = Xenctrl.[ Poweroff; Reboot; Suspend; Crash; Watchdog; Soft_reset ]

let featuresets =
  Xenctrl.
    [
      Featureset_raw; Featureset_host; Featureset_pv; Featureset_hvm; Featureset_pv_max;
      Featureset_hvm_max;
    ]

let params =
  Xenctrl.
    [
      HVM_PARAM_CALLBACK_IRQ; HVM_PARAM_STORE_PFN; HVM_PARAM_STORE_EVTCHN; HVM_PARAM_UNDEF_3;
      HVM_PARAM_PAE_ENABLED; HVM_PARAM_IOREQ_PFN; HVM_PARAM_BUFIOREQ_PFN; HVM_PARAM_UNDEF_7;
      HVM_PARAM_UNDEF_8; HVM_PARAM_VIRIDIAN; HVM_PARAM_TIMER_MODE; HVM_PARAM_HPET_ENABLED;
      HVM_PARAM_IDENT_PT; HVM_PARAM_UNDEF_13; HVM_PARAM_ACPI_S_STATE; HVM_PARAM_VM86_TSS;
      HVM_PARAM_VPT_ALIGN; HVM_PARAM_CONSOLE_PFN; HVM_PARAM_CONSOLE_EVTCHN;
      HVM_PARAM_ACPI_IOPORTS_LOCATION; HVM_PARAM_MEMORY_EVENT_CR0; HVM_PARAM_MEMORY_EVENT_CR3;
      HVM_PARAM_MEMORY_EVENT_CR4; HVM_PARAM_MEMORY_EVENT_INT3; HVM_PARAM_NESTEDHVM;
      HVM_PARAM_MEMORY_EVENT_SINGLE_STEP; HVM_PARAM_UNDEF_26; HVM_PARAM_PAGING_RING_PFN;
      HVM_PARAM_MONITOR_RING_PFN; HVM_PARAM_SHARING_RING_PFN; HVM_PARAM_MEMORY_EVENT_MSR;
      HVM_PARAM_TRIPLE_FAULT_REASON; HVM_PARAM_IOREQ_SERVER_PFN;
      HVM_PARAM_NR_IOREQ_SERVER_PAGES; HVM_PARAM_VM_GENERATION_ID_ADDR; HVM_PARAM_ALTP2M;
      HVM_PARAM_X87_FIP_WIDTH; HVM_PARAM_VM86_TSS_SIZED; HVM_PARAM_MCA_CAP;
    ]

let check_domain (d : Xenctrl.domaininfo) =
  if d.domid < 0 || d.domid > 0x7fef then bad "domid %d" d.domid;
  if Array.length d.handle <> 16 || Array.exists (fun b -> b < 0 || b > 255) d.handle then
    bad "the handle of domain %d" d.domid;
  if d.shutdown_code < 0 || d.shutdown_code > 255 then bad "shutdown code %d" d.shutdown_code;
  if d.total_memory_pages < 0n || d.nr_online_vcpus < 0 || d.max_vcpu_id < 0 then
    bad "negative numbers of domain %d" d.domid;
  match d.arch_config with
  | X86 _ -> ()
  | ARM _ -> bad "domain %d is ARM" d.domid

let rec check_order ~before domains =
  match domains with
  | a :: (b :: _ as rest) ->
    if not (before a.Xenctrl.domid b.Xenctrl.domid) then bad "%d, then %d" a.domid b.domid;
    check_order ~before rest
  | _ -> ()

let check_list ~first ~before domains =
  List.iter
    (fun d ->
      check_domain d;
      if d.Xenctrl.domid < first then bad "domid %d of a list from %d" d.domid first)
    domains;
  check_order ~before domains

let check_text s = if String.contains s '\000' then bad "a zero byte in %S" s

(* A mapping's own functions, with any offsets. *)
let read_and_write m a =
  let inside start length = start >= 0 && length >= 0 && start <= a.n && length <= a.n - start in
  (match Xenmmap.read m a.m a.choice with
  | s ->
    if String.length s <> a.choice || not (inside a.m a.choice) then
      bad "read %d bytes at %d of %d" a.choice a.m a.n
  | exception Invalid_argument _ -> if inside a.m a.choice then bad "reading is refused");
  match Xenmmap.write m a.text a.m with
  | () -> if not (inside a.m (String.length a.text)) then bad "written at %d of %d" a.m a.n
  | exception Invalid_argument _ ->
    if inside a.m (String.length a.text) then bad "writing is refused"

(* Functions of a snapshot's domain: all answer, or none does. *)
let accessors =
  let open Xenctrl_domains.Snapshot in
  let any f s i = ignore (Sys.opaque_identity (f s i)) in
  [
    any domid; any dying; any shutdown; any paused; any blocked; any running; any hvm_guest;
    any shutdown_code; any shutdown_reason; any total_memory_pages; any max_memory_pages;
    any shared_info_frame; any cpu_time; any nr_online_vcpus; any max_vcpu_id; any ssidref; any uuid;
    any (fun s i -> has_uuid s i Xenctrl_domains.Uuid.nil);
    any (fun s i -> emulates s i Xenctrl.X86_EMU_VPCI);
    any (fun s i -> has_misc_flag s i Xenctrl.X86_MSR_RELAXED);
    (fun s i -> check_domain (domaininfo s i));
    any debugged; any xs_domain; any hap; any cpupool; any outstanding_pages; any shared_pages;
    any paged_pages; any gpaddr_bits;
  ]

(* What no function gives. *)
let any_index : int -> Xenctrl_domains.Snapshot.index = Obj.magic

let snapshot h a =
  let open Xenctrl_domains.Snapshot in
  let s = take h in
  let before = length s in
  List.iter
    (fun accessor ->
      List.iter
        (fun i ->
          match accessor s (any_index i) with
          | () -> if i < 0 || i >= before then bad "domain number %d of %d" i before
          | exception Invalid_argument _ ->
            if i >= 0 && i < before then bad "number %d of %d is refused" i before)
        [ a.n; a.m; a.choice ])
    ((fun s i -> ignore (nth s (i :> int))) :: accessors);
  (match index s a.domid with
  | i -> if domid s i <> a.domid then bad "domain %d for %d" (domid s i) a.domid
  | exception Not_found -> if mem s a.domid then bad "domain %d has no number" a.domid);
  if (index_opt s a.domid <> None) <> mem s a.domid then bad "a number of domain %d or none" a.domid;
  retake h s;
  free s;
  List.iter
    (fun accessor ->
      match accessor s (any_index 0) with
      | () -> bad "an answer of a freed snapshot"
      | exception Invalid_argument _ -> ())
    accessors;
  match free s with () -> bad "freed twice" | exception Invalid_argument _ -> ()

let uuid a =
  let open Xenctrl_domains.Uuid in
  let right text = String.length text = 36 in
  (match of_string a.uuid with
  | u ->
    if to_string u <> String.lowercase_ascii a.uuid || not (equal u (of_bytes (to_bytes u))) then
      bad "%S is %S" a.uuid (to_string u)
  | exception Invalid_argument _ -> if of_string_opt a.uuid <> None then bad "%S is one" a.uuid);
  (match of_bytes a.text with
  | u -> if to_bytes u <> a.text then bad "the bytes of %S" a.text
  | exception Invalid_argument _ -> if String.length a.text = 16 then bad "16 bytes are refused");
  (match of_handle (Array.make 16 a.n) with
  | u ->
    if a.n < 0 || a.n > 255 then bad "a byte of %d" a.n;
    if to_handle u <> Array.make 16 a.n then bad "other bytes than %d" a.n
  | exception Invalid_argument _ -> if a.n >= 0 && a.n <= 255 then bad "16 bytes are refused");
  (* This one may raise. *)
  let u = of_string a.uuid in
  if not (right a.uuid) then bad "%S is a UUID" a.uuid;
  u

let find h a =
  let u = uuid a in
  let hinted = Xenctrl_domains.find_by_uuid ~hint:a.domid h u in
  List.iter
    (fun (d : Xenctrl.domaininfo) ->
      check_domain d;
      if not (Xenctrl_domains.Uuid.equal u (Xenctrl_domains.Uuid.of_handle d.handle)) then
        bad "domain %d has another UUID" d.domid)
    (hinted @ Xenctrl_domains.find_by_uuid h u);
  let s = Xenctrl_domains.Snapshot.take h in
  List.iter
    (fun i -> if not (Xenctrl_domains.Snapshot.has_uuid s i u) then bad "number %d has not" (i :> int))
    (Xenctrl_domains.Snapshot.find_by_uuid s u)

let all =
  let open Xenctrl in
  let external_ ?(fails = false) name call = { name; fails; call } in
  [
    external_ "stub_xc_interface_open" (fun _ _ -> ignore (version (interface_open ())));
    external_ "stub_xc_domain_create" ~fails:true (fun h a ->
        let domid = domain_create h ~domid:a.domid a.config in
        (* 0 and the reserved ones ask the hypervisor to choose. *)
        if a.domid > 0 && a.domid < 0x7ff0 && domid <> a.domid then
          bad "domid %d for %d" domid a.domid;
        if domid < 1 || domid >= 0x7ff0 then bad "domid %d" domid;
        domain_destroy h domid);
    external_ "stub_xc_domain_sethandle" (fun h a -> domain_sethandle h a.domid a.uuid);
    external_ "stub_xc_domain_max_vcpus" (fun h a -> domain_max_vcpus h a.domid a.n);
    external_ "stub_xc_domain_pause" (fun h a -> domain_pause h a.domid);
    external_ "stub_xc_domain_unpause" (fun h a -> domain_unpause h a.domid);
    external_ "stub_xc_domain_resume_fast" (fun h a -> domain_resume_fast h a.domid);
    external_ "stub_xc_domain_destroy" (fun h a -> domain_destroy h a.domid);
    external_ "stub_xc_domain_shutdown" (fun h a -> domain_shutdown h a.domid (choose reasons a.choice));
    external_ "stub_xc_domain_getinfolist" (fun h a ->
        let domains = _domain_getinfolist h a.domid a.n in
        check_list ~first:a.domid ~before:( > ) domains;
        if a.n < 2 && List.length domains > a.n then bad "more than asked for");
    external_ "stub_xenctrl_domain_getinfolist" (fun h a ->
        check_list ~first:a.domid ~before:( < ) (domain_getinfolist h a.domid));
    external_ "stub_xc_domain_getinfo" (fun h a ->
        let d = domain_getinfo h a.domid in
        check_domain d;
        if d.domid <> a.domid then bad "domain %d for %d" d.domid a.domid);
    external_ "stub_xc_vcpu_getinfo" (fun h a ->
        if (domain_get_vcpuinfo h a.domid a.n).cputime < 0L then bad "negative time");
    external_ "stub_xc_vcpu_setaffinity" (fun h a -> vcpu_affinity_set h a.domid a.n a.flags);
    external_ "stub_xc_vcpu_getaffinity" (fun h a ->
        let length = Array.length (vcpu_affinity_get h a.domid a.n) in
        if length <> (physinfo h).max_nr_cpus then bad "%d pCPUs" length);
    external_ "stub_xc_vcpu_context_get" (fun h a ->
        if String.length (vcpu_context_get h a.domid a.n) < 1000 then bad "a short context");
    external_ "stub_xc_sched_id" (fun h _ -> if sched_id h < 0 then bad "scheduler");
    external_ "stub_sched_credit_domain_set" (fun h a ->
        sched_credit_domain_set h a.domid { weight = a.n; cap = a.m });
    external_ "stub_sched_credit_domain_get" (fun h a ->
        let { weight; cap } = sched_credit_domain_get h a.domid in
        if weight < 0 || weight > 65535 || cap < 0 || cap > 65535 then
          bad "weight %d, cap %d" weight cap);
    external_ "stub_xc_domain_setmaxmem" (fun h a -> domain_setmaxmem h a.domid a.int64);
    external_ "stub_xc_domain_set_memmap_limit" (fun h a ->
        domain_set_memmap_limit h a.domid a.int64);
    external_ "stub_xc_domain_memory_increase_reservation" (fun h a ->
        domain_memory_increase_reservation h a.domid a.int64);
    external_ "stub_shadow_allocation_set" (fun h a -> shadow_allocation_set h a.domid a.n);
    external_ "stub_shadow_allocation_get" (fun h a ->
        if shadow_allocation_get h a.domid < 0 then bad "negative allocation");
    external_ "stub_map_foreign_range" ~fails:true (fun h a ->
        let m = map_foreign_range h a.domid a.n a.frame in
        Fun.protect ~finally:(fun () -> Xenmmap.unmap m) (fun () -> read_and_write m a));
    external_ "stub_xc_evtchn_alloc_unbound" (fun h a ->
        if evtchn_alloc_unbound h a.domid a.remote <= 0 then bad "port");
    external_ "stub_xc_evtchn_reset" (fun h a -> evtchn_reset h a.domid);
    external_ "stub_xc_evtchn_status" ~fails:true (fun h a ->
        match evtchn_status h a.domid a.n with
        | None -> ()
        | Some { vcpu; _ } -> if vcpu < 0 then bad "vCPU %d" vcpu);
    external_ "stub_xc_hvm_param_get" (fun h a ->
        ignore (hvm_param_get h a.domid (choose params a.choice)));
    external_ "stub_xc_hvm_param_set" (fun h a ->
        hvm_param_set h a.domid (choose params a.choice) a.int64);
    external_ "stub_xc_domain_ioport_permission" (fun h a ->
        domain_ioport_permission h a.domid a.n a.m a.flag);
    external_ "stub_xc_domain_iomem_permission" (fun h a ->
        domain_iomem_permission h a.domid a.frame a.frames a.flag);
    external_ "stub_xc_domain_irq_permission" (fun h a ->
        domain_irq_permission h a.domid a.n a.flag);
    external_ "stub_xc_domain_assign_device" (fun h a -> domain_assign_device h a.domid a.quad);
    external_ "stub_xc_domain_deassign_device" (fun h a ->
        domain_deassign_device h a.domid a.quad);
    external_ "stub_xc_domain_test_assign_device" (fun h a ->
        ignore (domain_test_assign_device h a.domid a.quad));
    external_ "stub_xc_physinfo" (fun h _ ->
        let p = physinfo h in
        if p.nr_cpus < 1 || p.max_nr_cpus < p.nr_cpus then bad "%d pCPUs" p.nr_cpus);
    external_ "stub_xc_pcpu_info" (fun h a ->
        if Array.length (pcpu_info h a.n) > a.n then bad "more pCPUs than asked for");
    external_ "stub_xc_get_cpu_featureset" (fun h a ->
        let words = get_cpu_featureset h (choose featuresets a.choice) in
        if Array.exists (fun word -> Int64.shift_right_logical word 32 <> 0L) words then
          bad "more than 32 bits");
    external_ "stub_xc_readconsolering" (fun h _ -> ignore (readconsolering h));
    external_ "stub_xc_send_debug_keys" (fun h a -> send_debug_keys h a.text);
    external_ "stub_xc_watchdog" (fun h a -> if watchdog h a.n a.int32 < 0 then bad "timer");
    external_ "stub_xc_version_version" (fun h _ ->
        let v = version h in
        if v.major <> 4 then bad "version %d" v.major;
        check_text v.extra);
    external_ "stub_xc_version_compile_info" (fun h _ ->
        check_text (version_compile_info h).compiler);
    external_ "stub_xc_version_changeset" (fun h _ -> check_text (version_changeset h));
    external_ "stub_xc_version_capabilities" (fun h _ -> check_text (version_capabilities h));
    external_ "stub_pages_to_kib" (fun _ a ->
        if pages_to_kib a.int64 <> Int64.mul a.int64 4L then bad "pages");
    external_ "Xenctrl_domains.Uuid" (fun _ a -> ignore (uuid a));
    external_ "Xenctrl_domains.find_by_uuid" find;
    external_ "Xenctrl_domains.Snapshot" snapshot;
  ]
