(* The interface is documented in xenctrl.mli. The types come first, then everything in its
   order. *)

type domid = int

type vcpuinfo = {
  online : bool;
  blocked : bool;
  running : bool;
  cputime : int64;
  cpumap : int32;
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
type domctl_create_config = {
  ssidref : int32;
  handle : string;
  flags : domain_create_flag list;
  iommu_opts : domain_create_iommu_opts list;
  max_vcpus : int;
  max_evtchn_port : int;
  max_grant_frames : int;
  max_maptrack_frames : int;
  max_grant_version : int;
  altp2m_opts : int32;
  vmtrace_buf_kb : int32;
  cpupool_id : int32;
  arch : arch_domainconfig;
}
type domaininfo = {
  domid : domid;
  dying : bool;
  shutdown : bool;
  paused : bool;
  blocked : bool;
  running : bool;
  hvm_guest : bool;
  shutdown_code : int;
  total_memory_pages : nativeint;
  max_memory_pages : nativeint;
  shared_info_frame : int64;
  cpu_time : int64;
  nr_online_vcpus : int;
  max_vcpu_id : int;
  ssidref : int32;
  handle : int array;
  arch_config : arch_domainconfig;
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
type physinfo = {
  threads_per_core : int;
  cores_per_socket : int;
  nr_cpus : int;
  max_node_id : int;
  cpu_khz : int;
  total_pages : nativeint;
  free_pages : nativeint;
  scrub_pages : nativeint;
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

(* The stubs raise it by this name, also before the rest of the module is there. *)
let () = Callback.register_exception "xc.error" (Error "register_callback")

type handle

external interface_open : unit -> handle = "stub_xc_interface_open"

external interface_close : handle -> unit = "stub_xc_interface_close"

(* Whether it was opened by this process and not by its parent. *)
external is_own : handle -> bool = "stub_xenctrl_interface_is_own" [@@noalloc]

let process_handle : handle option Atomic.t = Atomic.make None

let get_handle () =
  match Atomic.get process_handle with
  | Some h as own when is_own h -> own
  | Some _ | None -> None

let close_handle () = Atomic.set process_handle None

let rec with_intf f =
  match Atomic.get process_handle with
  | Some h when is_own h -> f h
  | (Some _ | None) as before ->
    let h =
      try interface_open ()
      with e -> failwith ("failed to open xenctrl: " ^ Printexc.to_string e)
    in
    (* Of two threads that open at once, one keeps its handle. *)
    if Atomic.compare_and_set process_handle before (Some h) then f h
    else begin
      interface_close h;
      with_intf f
    end

external domain_create_stub : handle -> domid -> domctl_create_config -> domid
  = "stub_xc_domain_create"

let domain_create h ?(domid = 0) config = domain_create_stub h domid config

external domain_sethandle : handle -> domid -> string -> unit
  = "stub_xc_domain_sethandle"

external domain_max_vcpus : handle -> domid -> int -> unit
  = "stub_xc_domain_max_vcpus"

external domain_pause : handle -> domid -> unit = "stub_xc_domain_pause"

external domain_unpause : handle -> domid -> unit = "stub_xc_domain_unpause"

external domain_destroy : handle -> domid -> unit = "stub_xc_domain_destroy"

external domain_shutdown : handle -> domid -> shutdown_reason -> unit
  = "stub_xc_domain_shutdown"

external _domain_getinfolist : handle -> domid -> int -> domaininfo list
  = "stub_xc_domain_getinfolist"

external domain_getinfolist : handle -> domid -> domaininfo list
  = "stub_xenctrl_domain_getinfolist"

external domain_getinfo : handle -> domid -> domaininfo
  = "stub_xc_domain_getinfo"

external domain_setmaxmem : handle -> domid -> int64 -> unit
  = "stub_xc_domain_setmaxmem"

external physinfo : handle -> physinfo = "stub_xc_physinfo"

external version : handle -> version = "stub_xc_version_version"

external version_compile_info : handle -> compile_info
  = "stub_xc_version_compile_info"

external version_changeset : handle -> string = "stub_xc_version_changeset"

external version_capabilities : handle -> string
  = "stub_xc_version_capabilities"

external pages_to_kib : int64 -> int64 = "stub_pages_to_kib"

let pages_to_mib pages = Int64.div (pages_to_kib pages) 1024L
