(* Every external that makes a hypercall, once: the kind of hypercall that is its own, and a call
   that succeeds. *)

open World

(* On domain 2, where it is of one domain, of [basic_spec]. *)
let basic_spec = "domains=5,domids=dense"

let basic =
  [
    ("xen_version.version", fun h -> ignore (Xenctrl.version h));
    (text "extraversion", fun h -> ignore (Xenctrl.version h));
    ("xen_version.compile_info", fun h -> ignore (Xenctrl.version_compile_info h));
    (text "changeset", fun h -> ignore (Xenctrl.version_changeset h));
    (text "capabilities", fun h -> ignore (Xenctrl.version_capabilities h));
    ("sysctl.physinfo", fun h -> ignore (Xenctrl.physinfo h));
    ("sysctl.getdomaininfolist", fun h -> ignore (Xenctrl.domain_getinfolist h 0));
    ("sysctl.getdomaininfolist", fun h -> ignore (Xenctrl._domain_getinfolist h 0 1));
    ("domctl.getdomaininfo", fun h -> ignore (Xenctrl.domain_getinfo h 2));
    ( "sysctl.getdomaininfolist",
      fun h -> ignore (Xenctrl_domains.find_by_uuid h Xenctrl_domains.Uuid.nil) );
    ( "sysctl.getdomaininfolist",
      fun h ->
        let s = Xenctrl_domains.Snapshot.take h in
        Xenctrl_domains.Snapshot.retake h s;
        Xenctrl_domains.Snapshot.free s );
    ("domctl.createdomain", fun h -> ignore (Xenctrl.domain_create h config));
    ("domctl.setdomainhandle", fun h -> Xenctrl.domain_sethandle h 2 (uuid_of_domid 2));
    ( "domctl.max_vcpus",
      fun h -> Xenctrl.domain_max_vcpus h 2 ((Xenctrl.domain_getinfo h 2).max_vcpu_id + 1) );
    ("domctl.max_mem", fun h -> Xenctrl.domain_setmaxmem h 2 4096L);
    ("domctl.pausedomain", fun h -> Xenctrl.domain_pause h 2);
    ("domctl.unpausedomain", fun h -> Xenctrl.domain_unpause h 2);
    ("sched_op.remote_shutdown", fun h -> Xenctrl.domain_shutdown h 2 Xenctrl.Poweroff);
    ("domctl.destroydomain", fun h -> Xenctrl.domain_destroy h 2);
  ]

let hvm_config =
  {
    config with
    flags = [ CDF_HVM; CDF_HAP ];
    arch = X86 { emulation_flags = [ X86_EMU_LAPIC ]; misc_flags = [] };
  }

(* Domain 1 of these is an HVM guest with a vCPU, which [prepare] made. *)
let control_spec = "domains=1,domids=dense,scheduler=credit,pci=0000:03:00.0"

let prepare h =
  let domid =
    Xenctrl.domain_create h { hvm_config with flags = [ CDF_HVM; CDF_HAP; CDF_IOMMU ] }
  in
  assert (domid = 1);
  Xenctrl.domain_max_vcpus h 1 1;
  Xenctrl.domain_setmaxmem h 1 65536L

let device = (0, 3, 0, 0)

let control =
  [
    ("domctl.getvcpuinfo", fun h -> ignore (Xenctrl.domain_get_vcpuinfo h 1 0));
    ("domctl.getvcpuaffinity", fun h -> ignore (Xenctrl.vcpu_affinity_get h 1 0));
    ("domctl.setvcpuaffinity", fun h -> Xenctrl.vcpu_affinity_set h 1 0 [| true |]);
    ("sysctl.sched_id", fun h -> ignore (Xenctrl.sched_id h));
    ("domctl.scheduler_op", fun h -> ignore (Xenctrl.sched_credit_domain_get h 1));
    ( "domctl.scheduler_op",
      fun h -> Xenctrl.sched_credit_domain_set h 1 { weight = 256; cap = 0 } );
    ("domctl.shadow_op", fun h -> ignore (Xenctrl.shadow_allocation_get h 1));
    ("domctl.shadow_op", fun h -> Xenctrl.shadow_allocation_set h 1 4);
    ("domctl.ioport_permission", fun h -> Xenctrl.domain_ioport_permission h 1 0x3f8 8 true);
    ("domctl.iomem_permission", fun h -> Xenctrl.domain_iomem_permission h 1 0xa0n 16n true);
    ("event_channel_op.alloc_unbound", fun h -> ignore (Xenctrl.evtchn_alloc_unbound h 1 0));
    ("event_channel_op.status", fun h -> ignore (Xenctrl.evtchn_status h 1 1));
    ("event_channel_op.reset", fun h -> Xenctrl.evtchn_reset h 1);
    ("hvm_op.get_param", fun h -> ignore (Xenctrl.hvm_param_get h 1 HVM_PARAM_STORE_PFN));
    ("hvm_op.set_param", fun h -> Xenctrl.hvm_param_set h 1 HVM_PARAM_STORE_EVTCHN 1L);
    ("sysctl.readconsole", fun h -> ignore (Xenctrl.readconsolering h));
    ("sysctl.debug_keys", fun h -> Xenctrl.send_debug_keys h "h");
    ("sysctl.getcpuinfo", fun h -> ignore (Xenctrl.pcpu_info h 4));
    ("sysctl.get_cpu_featureset", fun h -> ignore (Xenctrl.get_cpu_featureset h Featureset_raw));
    ("domctl.irq_permission", fun h -> Xenctrl.domain_irq_permission h 1 4 true);
    ("memory_op.set_memory_map", fun h -> Xenctrl.domain_set_memmap_limit h 1 65536L);
    ( "sched_op.watchdog",
      fun h -> ignore (Xenctrl.watchdog h (Xenctrl.watchdog h 0 300l) 0l) );
    ( "domctl.assign_device",
      fun h ->
        Xenctrl.domain_assign_device h 1 device;
        Xenctrl.domain_deassign_device h 1 device );
    ( "domctl.deassign_device",
      fun h ->
        (try Xenctrl.domain_assign_device h 1 device with Xenctrl.Error _ -> ());
        Xenctrl.domain_deassign_device h 1 device );
    ( "domctl.resumedomain",
      fun h ->
        Xenctrl.domain_shutdown h 1 Xenctrl.Suspend;
        Xenctrl.domain_resume_fast h 1 );
  ]

(* Whose errors are not exceptions, or always are. *)
let others =
  [
    ("domctl.test_assign_device", fun h -> ignore (Xenctrl.domain_test_assign_device h 1 device));
    ( "memory_op.increase_reservation",
      fun h -> try Xenctrl.domain_memory_increase_reservation h 1 4L with Xenctrl.Error _ -> () );
    ( "domctl.getvcpucontext",
      fun h -> try ignore (Xenctrl.vcpu_context_get h 1 0) with Xenctrl.Error _ -> () );
    ( "map",
      fun h -> try ignore (Xenctrl.map_foreign_range h 1 4096 0n) with Failure _ -> () );
  ]
