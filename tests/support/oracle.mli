(** What libxenctrl, which is not this project's, says about the same hypervisor:
    to compare this project's answers with. Every function is one call of
    libxenctrl's, and its answer as it stands, uninterpreted. *)

type t

exception Error of int * string
(** errno, and the name of the libxenctrl function that failed. *)

val open_ : unit -> t

val close : t -> unit
(** May be called again; any other use of the handle after it raises
    [Invalid_argument]. *)

(** struct xen_domctl_getdomaininfo, field by field. Numbers that may need all 64
    bits are [int64], all smaller ones are [int] except [ssidref]; [handle] is 16
    bytes. *)
type raw = {
  domid : int;
  flags : int;
  tot_pages : int64;
  max_pages : int64;
  outstanding_pages : int64;
  shr_pages : int64;
  paged_pages : int64;
  shared_info_frame : int64;
  cpu_time : int64;
  nr_online_vcpus : int;
  max_vcpu_id : int;
  ssidref : int64;
  handle : string;
  cpupool : int;
  gpaddr_bits : int;
  emulation_flags : int;
  misc_flags : int;
}

val list : t -> first:int -> max:int -> raw array
(** The domains from the domid [first] on, at most [max] of them, ascending. One
    hypercall. *)

type physinfo = {
  threads_per_core : int;
  cores_per_socket : int;
  nr_cpus : int;
  max_cpu_id : int;
  nr_nodes : int;
  max_node_id : int;
  cpu_khz : int;
  capabilities : int;
  arch_capabilities : int;
  total_pages : int64;
  free_pages : int64;
  scrub_pages : int64;
  outstanding_pages : int64;
  max_mfn : int64;
  hw_cap : string;
}

val physinfo : t -> physinfo

val version : t -> int
(** [major lsl 16 + minor]. *)

val extraversion : t -> string

type compile_info = {
  compiler : string;
  compile_by : string;
  compile_domain : string;
  compile_date : string;
}

val compile_info : t -> compile_info
val changeset : t -> string
val capabilities : t -> string

(** {1 Of libxenctrl's own release alone}

    Most of these are domctls, whose interface version changes with each release. *)

val ask : t -> string -> int -> int -> int64 array
(** [ask t question domid n]: the numbers that libxenctrl's call of that name answers, in its
    order. ["vcpu_getinfo"] and ["vcpu_getaffinity"] ([n] is the vCPU), ["sched_id"],
    ["hvm_param_get"] ([n] is the parameter), ["shadow_allocation"], ["evtchn_status"] ([n] is
    the port; then the vCPU and the remote domid). *)

val interfaces : unit -> int * int
(** The versions of sysctl and domctl that this libxenctrl speaks. *)
