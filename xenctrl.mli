(* What differs between releases of the interface stands between #if and #endif; XEN_MINOR is the
   minor version of the one that is built. *)
#if XEN_MINOR < 17 || XEN_MINOR > 22
#error "XENCTRL_API must be one of 4.17, 4.18, 4.19, 4.20, 4.21, 4.22"
#endif

(** Xen's toolstack interface: the hypervisor's control operations.

    The module has the types and functions of upstream's [Xenctrl], at the interface of Xen 4.20
    unless it was built at another (docs/levels.md), and works on every Xen from 4.17 to 4.22.

    Every function that makes a hypercall releases the runtime lock while it lasts and can raise

    - {!Error} ["errno: message"], made from that call's own error number, such as
      ["3: No such process"] for a domain that does not exist, ["1: Operation not permitted"]
      outside the control domain, and ["9: Bad file descriptor: ..."] for a handle that was
      closed;
    - [Invalid_argument], before any hypercall, for an argument out of range: a domid outside
      0..65535, a negative count, size or frame number, a number that the hypervisor's own cannot
      hold, a malformed UUID.

    Hypercalls are named as in Xen's public headers (xen/include/public). *)

(** A domain's number, 0 to 32751 for a domain that exists. *)
type domid = int

type vcpuinfo = {
  online : bool;
  blocked : bool;
  running : bool;
  cputime : int64;  (** CPU time, in nanoseconds *)
  cpumap : int32;  (** the pCPU that it last ran on *)
}

type xen_arm_arch_domainconfig = {
  gic_version : int;
  nr_spis : int;
  clock_frequency : int32;
}

type x86_arch_emulation_flags =
  | X86_EMU_LAPIC
  | X86_EMU_HPET
  | X86_EMU_PM
  | X86_EMU_RTC
  | X86_EMU_IOAPIC
  | X86_EMU_PIC
  | X86_EMU_VGA
  | X86_EMU_IOMMU
  | X86_EMU_PIT
  | X86_EMU_USE_PIRQ
  | X86_EMU_VPCI

type x86_arch_misc_flags =
  | X86_MSR_RELAXED

type xen_x86_arch_domainconfig = {
  emulation_flags : x86_arch_emulation_flags list;
  misc_flags : x86_arch_misc_flags list;
}

type arch_domainconfig =
  | ARM of xen_arm_arch_domainconfig
  | X86 of xen_x86_arch_domainconfig

type domain_create_flag =
  | CDF_HVM
  | CDF_HAP
  | CDF_S3_INTEGRITY
  | CDF_OOS_OFF
  | CDF_XS_DOMAIN
  | CDF_IOMMU
  | CDF_NESTED_VIRT
  | CDF_VPMU
#if XEN_MINOR >= 21
  | CDF_TRAP_UNMAPPED_ACCESSES
#endif

type domain_create_iommu_opts =
  | IOMMU_NO_SHAREPT

(** What a domain is to be. *)
type domctl_create_config = {
  ssidref : int32;  (** XSM label *)
  handle : string;  (** UUID as text *)
  flags : domain_create_flag list;
  iommu_opts : domain_create_iommu_opts list;
  max_vcpus : int;
  max_evtchn_port : int;  (** greatest event channel port; -1: no limit *)
  max_grant_frames : int;  (** negative: the hypervisor's default *)
  max_maptrack_frames : int;  (** negative: the hypervisor's default *)
  max_grant_version : int;  (** 0 to 15 *)
#if XEN_MINOR >= 20
  altp2m_opts : int32;
      (** Xen 4.19 and later; else zero. A module whose interface has no
          [altp2m_count] asks Xen 4.21 and later for the ten altp2ms that
          Xen had before. *)
#endif
#if XEN_MINOR >= 21
  altp2m_count : int32;  (** Xen 4.21 and later; else zero *)
#endif
#if XEN_MINOR >= 19
  vmtrace_buf_kb : int32;  (** trace buffer per vCPU, in KiB; 0: none *)
#endif
  cpupool_id : int32;
  arch : arch_domainconfig;
}

(** What the hypervisor says of a domain. *)
type domaininfo = {
  domid : domid;
  dying : bool;  (** destroyed, not yet gone *)
  shutdown : bool;
  paused : bool;  (** by the toolstack *)
  blocked : bool;  (** every online vCPU waits for an event *)
  running : bool;  (** some vCPU is on a pCPU *)
  hvm_guest : bool;
  shutdown_code : int;  (** meaningful if [shutdown], else 255 *)
  total_memory_pages : nativeint;
  max_memory_pages : nativeint;
  shared_info_frame : int64;
  cpu_time : int64;  (** that its vCPUs ran, in nanoseconds *)
  nr_online_vcpus : int;
  max_vcpu_id : int;  (** 4294967295 for a domain without vCPUs *)
  ssidref : int32;
  handle : int array;  (** the UUID's 16 bytes *)
  arch_config : arch_domainconfig;
      (** shared by the records of domains that have it alike *)
}

(** A domain's parameters in the scheduler credit. *)
type sched_control = {
  weight : int;
  cap : int;  (** in percent of one pCPU; 0: no limit *)
}

type physinfo_cap_flag =
  | CAP_HVM
  | CAP_PV
  | CAP_DirectIO
  | CAP_HAP
  | CAP_Shadow
  | CAP_IOMMU_HAP_PT_SHARE
  | CAP_Vmtrace
  | CAP_Vpmu
  | CAP_Gnttab_v1
  | CAP_Gnttab_v2

#if XEN_MINOR >= 18
type arm_physinfo_caps = {
  sve_vl : int;
}
#else
type arm_physinfo_cap_flag
#endif

type x86_physinfo_cap_flag

type arch_physinfo_cap_flags =
#if XEN_MINOR >= 18
  | ARM of arm_physinfo_caps
#else
  | ARM of arm_physinfo_cap_flag list
#endif
  | X86 of x86_physinfo_cap_flag list

(** What the hypervisor says of the host. *)
type physinfo = {
  threads_per_core : int;
  cores_per_socket : int;
  nr_cpus : int;  (** online *)
  max_node_id : int;
  cpu_khz : int;
  total_pages : nativeint;
  free_pages : nativeint;
  scrub_pages : nativeint;  (** free, still to be scrubbed *)
  capabilities : physinfo_cap_flag list;
  max_nr_cpus : int;
  arch_capabilities : arch_physinfo_cap_flags;
}

type version = {
  major : int;
  minor : int;
  extra : string;
}

type compile_info = {
  compiler : string;
  compile_by : string;
  compile_domain : string;
  compile_date : string;
}

type shutdown_reason =
  | Poweroff
  | Reboot
  | Suspend
  | Crash
  | Watchdog
  | Soft_reset

#if XEN_MINOR >= 18
type evtchn_interdomain = {
  dom : domid;
  port : int;
}

(** What an event channel is connected to. *)
type evtchn_stat =
  | EVTCHNSTAT_unbound of domid  (** who may bind to it *)
  | EVTCHNSTAT_interdomain of evtchn_interdomain  (** the other end *)
  | EVTCHNSTAT_pirq of int
  | EVTCHNSTAT_virq of Xeneventchn.virq_t
  | EVTCHNSTAT_ipi

type evtchn_status = {
  vcpu : int;  (** that it notifies *)
  status : evtchn_stat;
}

(** Parameters of HVM guests, in the order of their numbers (public/hvm/params.h). *)
type hvm_param =
  | HVM_PARAM_CALLBACK_IRQ
  | HVM_PARAM_STORE_PFN
  | HVM_PARAM_STORE_EVTCHN
  | HVM_PARAM_UNDEF_3
  | HVM_PARAM_PAE_ENABLED
  | HVM_PARAM_IOREQ_PFN
  | HVM_PARAM_BUFIOREQ_PFN
  | HVM_PARAM_UNDEF_7
  | HVM_PARAM_UNDEF_8
  | HVM_PARAM_VIRIDIAN
  | HVM_PARAM_TIMER_MODE
  | HVM_PARAM_HPET_ENABLED
  | HVM_PARAM_IDENT_PT
  | HVM_PARAM_UNDEF_13
  | HVM_PARAM_ACPI_S_STATE
  | HVM_PARAM_VM86_TSS
  | HVM_PARAM_VPT_ALIGN
  | HVM_PARAM_CONSOLE_PFN
  | HVM_PARAM_CONSOLE_EVTCHN
  | HVM_PARAM_ACPI_IOPORTS_LOCATION
  | HVM_PARAM_MEMORY_EVENT_CR0
  | HVM_PARAM_MEMORY_EVENT_CR3
  | HVM_PARAM_MEMORY_EVENT_CR4
  | HVM_PARAM_MEMORY_EVENT_INT3
  | HVM_PARAM_NESTEDHVM
  | HVM_PARAM_MEMORY_EVENT_SINGLE_STEP
  | HVM_PARAM_UNDEF_26
  | HVM_PARAM_PAGING_RING_PFN
  | HVM_PARAM_MONITOR_RING_PFN
  | HVM_PARAM_SHARING_RING_PFN
  | HVM_PARAM_MEMORY_EVENT_MSR
  | HVM_PARAM_TRIPLE_FAULT_REASON
  | HVM_PARAM_IOREQ_SERVER_PFN
  | HVM_PARAM_NR_IOREQ_SERVER_PAGES
  | HVM_PARAM_VM_GENERATION_ID_ADDR
  | HVM_PARAM_ALTP2M
  | HVM_PARAM_X87_FIP_WIDTH
  | HVM_PARAM_VM86_TSS_SIZED
  | HVM_PARAM_MCA_CAP
#endif

type featureset_index =
  | Featureset_raw
  | Featureset_host
  | Featureset_pv
  | Featureset_hvm
  | Featureset_pv_max
  | Featureset_hvm_max

exception Error of string

(** {1 The handle} *)

(** An open handle on the hypervisor. It may be shared by threads (and by OCaml 5's domains). In a
    forked child its first call opens it anew, and raises {!Error} if it cannot, as
    {!interface_open} does. It is closed when it is collected. *)
type handle

(** [interface_open ()] opens a handle.

    Raises {!Error} if libxencall is not installed, if the hypervisor cannot be reached, or if it
    is not a release from 4.17 to 4.22, naming what was found.

    Hypercalls: [XENVER_version], and an empty sysctl and domctl to confirm the interface
    versions. *)
external interface_open : unit -> handle = "stub_xc_interface_open"

#if XEN_MINOR < 18
(** Closes a handle. Raises {!Error} if it is closed already. *)
external interface_close : handle -> unit = "stub_xc_interface_close"
#endif

(** [with_intf f] is [f h], where [h] is the process's own handle, opened if there is none yet; a
    forked child opens another.

    Raises [Failure] if it cannot be opened. *)
val with_intf : (handle -> 'a) -> 'a

(** The process's own handle, if {!with_intf} has opened one in this process. *)
val get_handle : unit -> handle option

#if XEN_MINOR < 18
(** Closes the process's own handle. *)
#else
(** Forgets the process's own handle, which is closed once nobody uses it any more. *)
#endif
val close_handle : unit -> unit

(** {1 Domains} *)

(** [domain_create h ~domid config] creates a domain, paused, without memory and without vCPUs, and
    returns its domid: the given one, or one of the hypervisor's choice for 0, the default.

    Raises [Invalid_argument], naming the field, also if [config] has one set that the running
    release does not know.

    Hypercall: [XEN_DOMCTL_createdomain]. *)
val domain_create : handle -> ?domid:domid -> domctl_create_config -> domid

(** [domain_sethandle h domid uuid] sets a domain's UUID, given as text.

    Hypercall: [XEN_DOMCTL_setdomainhandle]. *)
external domain_sethandle : handle -> domid -> string -> unit
  = "stub_xc_domain_sethandle"

(** [domain_max_vcpus h domid n] makes a domain's vCPUs; [n] must be the number that it was created
    for.

    Hypercall: [XEN_DOMCTL_max_vcpus]. *)
external domain_max_vcpus : handle -> domid -> int -> unit
  = "stub_xc_domain_max_vcpus"

(** Pauses a domain. Pauses are counted.

    Hypercall: [XEN_DOMCTL_pausedomain]. *)
external domain_pause : handle -> domid -> unit = "stub_xc_domain_pause"

(** Takes one pause back. The domain runs when none is left; a new domain has one.

    Hypercall: [XEN_DOMCTL_unpausedomain]. *)
external domain_unpause : handle -> domid -> unit = "stub_xc_domain_unpause"

(** Resumes a domain that has suspended itself, in the environment that it had. The hypercall by
    which it suspended returns 1 in a PV guest and in an HVM guest with PV drivers (that has set
    [HVM_PARAM_CALLBACK_IRQ]); registers of any other stay as they are. Raises {!Error}
    ["22: Invalid argument"] if it is not shut down for suspension.

    Hypercalls: [XEN_DOMCTL_resumedomain], and those to find out what kind of guest it is and to
    write the 1 into its registers. *)
external domain_resume_fast : handle -> domid -> unit
  = "stub_xc_domain_resume_fast"

(** Destroys a domain and frees its memory.

    Hypercall: [XEN_DOMCTL_destroydomain]. *)
external domain_destroy : handle -> domid -> unit = "stub_xc_domain_destroy"

(** Shuts a domain down for a reason, as if it had done so itself.

    Hypercall: [SCHEDOP_remote_shutdown]. *)
external domain_shutdown : handle -> domid -> shutdown_reason -> unit
  = "stub_xc_domain_shutdown"

(** [_domain_getinfolist h first count] is the domains from [first] on, largest domid first: at most
    [count] for 0 and 1, all of them for any greater [count].

    Hypercall: [XEN_SYSCTL_getdomaininfolist], one. *)
external _domain_getinfolist : handle -> domid -> int -> domaininfo list
  = "stub_xc_domain_getinfolist"

(** [domain_getinfolist h first] is all domains from [first] on, smallest domid first: one answer of
    the hypervisor's, whatever their number. It has every domain that was there throughout the
    hypercall, and none that was gone before. The hypervisor walks its list while other CPUs create
    and destroy domains, so the answer is not of one moment: it can hold a domain that went
    meanwhile and another that came after that.

    Hypercall: [XEN_SYSCTL_getdomaininfolist], one (while the handle's buffer grows to its size,
    one more for each doubling: it begins with room for 1167 domains). *)
val domain_getinfolist : handle -> domid -> domaininfo list

(** [domain_getinfo h domid] is one domain. Raises {!Error} ["3: No such process"] if there is
    none.

    Hypercall: [XEN_DOMCTL_getdomaininfo]. *)
external domain_getinfo : handle -> domid -> domaininfo
  = "stub_xc_domain_getinfo"

(** {1 vCPUs} *)

(** [domain_get_vcpuinfo h domid vcpu] is what the hypervisor says of a vCPU.

    Hypercall: [XEN_DOMCTL_getvcpuinfo]. *)
external domain_get_vcpuinfo : handle -> int -> int -> vcpuinfo
  = "stub_xc_vcpu_getinfo"

(** [vcpu_affinity_set h domid vcpu allowed] sets on which pCPUs a vCPU may run: on pCPU [i] if
    [allowed.(i)]. Raises [Invalid_argument] for an array longer than [(physinfo h).max_nr_cpus].

    Hypercall: [XEN_DOMCTL_setvcpuaffinity]. *)
external vcpu_affinity_set : handle -> domid -> int -> bool array -> unit
  = "stub_xc_vcpu_setaffinity"

(** [vcpu_affinity_get h domid vcpu] has [(physinfo h).max_nr_cpus] elements.

    Hypercall: [XEN_DOMCTL_getvcpuaffinity]. *)
external vcpu_affinity_get : handle -> domid -> int -> bool array
  = "stub_xc_vcpu_getaffinity"

(** [vcpu_context_get h domid vcpu] is a vCPU's registers, the bytes of a [vcpu_guest_context_t].

    Hypercall: [XEN_DOMCTL_getvcpucontext]. *)
external vcpu_context_get : handle -> domid -> int -> string
  = "stub_xc_vcpu_context_get"

(** {1 Scheduling} *)

(** The default CPU pool's scheduler: 5 credit, 6 credit2, 7 arinc653, 8 rtds, 9 null.

    Hypercall: [XEN_SYSCTL_sched_id]. *)
external sched_id : handle -> int = "stub_xc_sched_id"

(** Sets a domain's parameters in the scheduler credit. Raises {!Error} ["22: Invalid argument"] if
    its CPU pool has another scheduler.

    Hypercall: [XEN_DOMCTL_scheduler_op]. *)
external sched_credit_domain_set : handle -> domid -> sched_control -> unit
  = "stub_sched_credit_domain_set"

(** A domain's parameters in the scheduler credit; raises as {!sched_credit_domain_set} does.

    Hypercall: [XEN_DOMCTL_scheduler_op]. *)
external sched_credit_domain_get : handle -> domid -> sched_control
  = "stub_sched_credit_domain_get"

(** {1 Memory} *)

(** [domain_setmaxmem h domid kib] limits a domain's memory, in KiB, rounded down to pages.

    Hypercall: [XEN_DOMCTL_max_mem]. *)
external domain_setmaxmem : handle -> domid -> int64 -> unit
  = "stub_xc_domain_setmaxmem"

(** [domain_set_memmap_limit h domid kib] sets the memory map that a guest asks the hypervisor for:
    RAM from address 0 on, so many KiB.

    Hypercall: [XENMEM_set_memory_map]. *)
external domain_set_memmap_limit : handle -> domid -> int64 -> unit
  = "stub_xc_domain_set_memmap_limit"

(** [domain_memory_increase_reservation h domid kib] gives a domain more memory, in KiB, rounded
    down to pages. Raises {!Error} ["12: Cannot allocate memory"] if it did not get all of it; what
    it got stays.

    Hypercall: [XENMEM_increase_reservation]. *)
external domain_memory_increase_reservation : handle -> domid -> int64 -> unit
  = "stub_xc_domain_memory_increase_reservation"

(** [shadow_allocation_set h domid mib] sets how much memory a domain has for its shadow or HAP
    page tables, in MiB.

    Hypercall: [XEN_DOMCTL_shadow_op]. *)
external shadow_allocation_set : handle -> domid -> int -> unit
  = "stub_shadow_allocation_set"

(** How much memory a domain has for its shadow or HAP page tables, in MiB, rounded up.

    Hypercall: [XEN_DOMCTL_shadow_op]. *)
external shadow_allocation_get : handle -> domid -> int
  = "stub_shadow_allocation_get"

(** [map_foreign_range h domid size pfn] maps [size] bytes of a domain's memory, to be read and
    written, from a page frame on (of a PV domain a machine frame, of an HVM domain a guest frame).
    The mapping lasts until {!Xenmmap.unmap}, also when [h] is closed.

    Raises [Failure "xc_map_foreign_range error: reason"] if it cannot be mapped. *)
external map_foreign_range :
  handle -> domid -> int -> nativeint -> Xenmmap.mmap_interface
  = "stub_map_foreign_range"

(** {1 Event channels} *)

(** [evtchn_alloc_unbound h domid remote] is the port of a new event channel of [domid], which
    [remote] may bind to.

    Hypercall: [EVTCHNOP_alloc_unbound]. *)
external evtchn_alloc_unbound : handle -> domid -> domid -> int
  = "stub_xc_evtchn_alloc_unbound"

(** Closes every event channel of a domain.

    Hypercall: [EVTCHNOP_reset]. *)
external evtchn_reset : handle -> domid -> unit = "stub_xc_evtchn_reset"

#if XEN_MINOR >= 18
(** [evtchn_status h domid port] is what an event channel is connected to; [None] if it is closed.
    Raises [Failure] for a virtual interrupt that {!Xeneventchn.virq_t} does not have.

    Hypercall: [EVTCHNOP_status]. *)
external evtchn_status : handle -> domid -> int -> evtchn_status option
  = "stub_xc_evtchn_status"

(** {1 HVM guests} *)

(** A parameter of an HVM guest.

    Hypercall: [HVMOP_get_param]. *)
external hvm_param_get : handle -> domid -> hvm_param -> int64
  = "stub_xc_hvm_param_get"

(** Sets a parameter of an HVM guest.

    Hypercall: [HVMOP_set_param]. *)
external hvm_param_set : handle -> domid -> hvm_param -> int64 -> unit
  = "stub_xc_hvm_param_set"
#endif

(** {1 The host's devices}

    A domain can be allowed only what the caller is allowed itself. A PCI device is named by
    segment, bus, device and function. *)

(** [domain_ioport_permission h domid port count allow] lets a domain use I/O ports, or no longer.

    Hypercall: [XEN_DOMCTL_ioport_permission]. *)
external domain_ioport_permission : handle -> domid -> int -> int -> bool -> unit
  = "stub_xc_domain_ioport_permission"

(** [domain_iomem_permission h domid mfn count allow] lets a domain map machine frames, or no
    longer.

    Hypercall: [XEN_DOMCTL_iomem_permission]. *)
external domain_iomem_permission :
  handle -> domid -> nativeint -> nativeint -> bool -> unit
  = "stub_xc_domain_iomem_permission"

(** [domain_irq_permission h domid pirq allow] lets a domain bind a physical interrupt of the
    caller's, or no longer.

    Hypercall: [XEN_DOMCTL_irq_permission]. *)
external domain_irq_permission : handle -> domid -> int -> bool -> unit
  = "stub_xc_domain_irq_permission"

(** Gives a domain a PCI device.

    Hypercall: [XEN_DOMCTL_assign_device]. *)
external domain_assign_device : handle -> domid -> int * int * int * int -> unit
  = "stub_xc_domain_assign_device"

(** Takes a PCI device back from a domain.

    Hypercall: [XEN_DOMCTL_deassign_device]. *)
external domain_deassign_device : handle -> domid -> int * int * int * int -> unit
  = "stub_xc_domain_deassign_device"

(** Whether a PCI device could be given to a domain; a refusal of any kind is [false].

    Hypercall: [XEN_DOMCTL_test_assign_device]. *)
external domain_test_assign_device :
  handle -> domid -> int * int * int * int -> bool
  = "stub_xc_domain_test_assign_device"

(** {1 The host and the hypervisor} *)

(** The host's processors and memory.

    Hypercall: [XEN_SYSCTL_physinfo]. *)
external physinfo : handle -> physinfo = "stub_xc_physinfo"

(** [pcpu_info h count] is how long each of the first [count] pCPUs has been idle, in nanoseconds;
    the host may have fewer.

    Hypercall: [XEN_SYSCTL_getcpuinfo]. *)
external pcpu_info : handle -> int -> int64 array = "stub_xc_pcpu_info"

(** A set of CPU features, 32 to an element.

    Hypercall: [XEN_SYSCTL_get_cpu_featureset]. *)
external get_cpu_featureset : handle -> featureset_index -> int64 array
  = "stub_xc_get_cpu_featureset"

(** What is in the hypervisor's console ring, whole and at one moment; it stays there.

    Hypercall: [XEN_SYSCTL_readconsole], one (while the handle's buffer grows to its size, one more
    for each doubling). *)
external readconsolering : handle -> string = "stub_xc_readconsolering"

(** Presses the keys of a string on the hypervisor's console. Raises [Invalid_argument] for a zero
    byte.

    Hypercall: [XEN_SYSCTL_debug_keys]. *)
external send_debug_keys : handle -> string -> unit = "stub_xc_send_debug_keys"

(** [watchdog h timer seconds] sets a watchdog timer of the calling domain, which is shut down when
    the time is over: a new one for timer 0, whose number is the result, else the given one, which
    0 seconds stop.

    Hypercall: [SCHEDOP_watchdog]. *)
external watchdog : handle -> int -> int32 -> int = "stub_xc_watchdog"

(** The hypervisor's version.

    Hypercalls: [XENVER_version], [XENVER_extraversion2]. An older Xen than 4.20, which answers
    [ENOSYS] to the latter, is asked for [XENVER_extraversion] then, and from the handle's next
    call on for that alone; it cuts at 15 characters. A text that does not fit into the handle's
    buffer, of 32 KB at least, is asked for once more. *)
external version : handle -> version = "stub_xc_version_version"

(** How the hypervisor was compiled.

    Hypercall: [XENVER_compile_info]. *)
external version_compile_info : handle -> compile_info
  = "stub_xc_version_compile_info"

(** The changeset that the hypervisor was built from.

    Hypercall: [XENVER_changeset2]; in an older Xen than 4.20, as with {!val-version},
    [XENVER_changeset], which cuts at 63 characters. *)
external version_changeset : handle -> string = "stub_xc_version_changeset"

(** The kinds of guests that the hypervisor can run, separated by blanks.

    Hypercall: [XENVER_capabilities2]; in an older Xen than 4.20, as with {!val-version},
    [XENVER_capabilities], which cuts at 1023 characters. *)
external version_capabilities : handle -> string
  = "stub_xc_version_capabilities"

(** {1 Units} *)

(** A number of pages in KiB. *)
external pages_to_kib : int64 -> int64 = "stub_pages_to_kib"

(** A number of pages in MiB, rounded towards zero. *)
val pages_to_mib : int64 -> int64
