(** Xen's toolstack interface: the hypervisor's control operations.

    The module has the types and functions of upstream's [Xenctrl], at the interface of Xen 4.20,
    and works on every Xen from 4.17 to 4.22.

    Every function that makes a hypercall releases the runtime lock while it lasts and can raise

    - {!Error} ["errno: message"], made from that call's own error number, such as
      ["3: No such process"] for a domain that does not exist, ["1: Operation not permitted"]
      outside the control domain, and ["9: Bad file descriptor: ..."] for a handle that was closed
      or that belongs to the parent process;
    - [Invalid_argument], before any hypercall, for an argument out of range: a domid outside
      0..65535, a negative count or size, a malformed UUID.

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
  altp2m_opts : int32;  (** Xen 4.19 and later; else zero *)
  vmtrace_buf_kb : int32;  (** trace buffer per vCPU, in KiB; 0: none *)
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

type sched_control = {
  weight : int;
  cap : int;
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

type arm_physinfo_caps = {
  sve_vl : int;
}

type x86_physinfo_cap_flag

type arch_physinfo_cap_flags =
  | ARM of arm_physinfo_caps
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

exception Error of string

(** {1 The handle} *)

(** An open handle on the hypervisor. It may be shared by threads (and by OCaml 5's domains), not by
    processes: after a fork the child opens its own. It is closed when it is collected. *)
type handle

(** [interface_open ()] opens a handle.

    Raises {!Error} if libxencall is not installed, if the hypervisor cannot be reached, or if it
    is not a release from 4.17 to 4.22, naming what was found.

    Hypercalls: [XENVER_version], and an empty sysctl and domctl to confirm the interface
    versions. *)
external interface_open : unit -> handle = "stub_xc_interface_open"

(** [with_intf f] is [f h], where [h] is the process's own handle, opened if there is none yet, and
    opened anew in a forked child.

    Raises [Failure] if it cannot be opened. *)
val with_intf : (handle -> 'a) -> 'a

(** The process's own handle, if {!with_intf} has opened one in this process. *)
val get_handle : unit -> handle option

(** Forgets the process's own handle, which is closed once nobody uses it any more. *)
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

(** [domain_getinfolist h first] is all domains from [first] on, smallest domid first: one
    consistent answer, whatever their number.

    Hypercall: [XEN_SYSCTL_getdomaininfolist], one (while the handle's buffer grows to its size,
    one more for each doubling). *)
val domain_getinfolist : handle -> domid -> domaininfo list

(** [domain_getinfo h domid] is one domain. Raises {!Error} ["3: No such process"] if there is
    none.

    Hypercall: [XEN_DOMCTL_getdomaininfo]. *)
external domain_getinfo : handle -> domid -> domaininfo
  = "stub_xc_domain_getinfo"

(** [domain_setmaxmem h domid kib] limits a domain's memory, in KiB, rounded down to pages.

    Hypercall: [XEN_DOMCTL_max_mem]. *)
external domain_setmaxmem : handle -> domid -> int64 -> unit
  = "stub_xc_domain_setmaxmem"

(** {1 The host and the hypervisor} *)

(** The host's processors and memory.

    Hypercall: [XEN_SYSCTL_physinfo]. *)
external physinfo : handle -> physinfo = "stub_xc_physinfo"

(** The hypervisor's version.

    Hypercalls: [XENVER_version], [XENVER_extraversion]. *)
external version : handle -> version = "stub_xc_version_version"

(** How the hypervisor was compiled.

    Hypercall: [XENVER_compile_info]. *)
external version_compile_info : handle -> compile_info
  = "stub_xc_version_compile_info"

(** The changeset that the hypervisor was built from.

    Hypercall: [XENVER_changeset]. *)
external version_changeset : handle -> string = "stub_xc_version_changeset"

(** The kinds of guests that the hypervisor can run, separated by blanks.

    Hypercall: [XENVER_capabilities]. *)
external version_capabilities : handle -> string
  = "stub_xc_version_capabilities"

(** {1 Units} *)

(** A number of pages in KiB. *)
external pages_to_kib : int64 -> int64 = "stub_pages_to_kib"

(** A number of pages in MiB, rounded towards zero. *)
val pages_to_mib : int64 -> int64
