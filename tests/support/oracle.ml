type t

exception Error of int * string

let () =
  Callback.register_exception "test_support.oracle.error" (Error (0, ""))

(* The order of the fields of these records is known to oracle_stubs.c. *)
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

type compile_info = {
  compiler : string;
  compile_by : string;
  compile_domain : string;
  compile_date : string;
}

external open_ : unit -> t = "test_support_oracle_open"
external close : t -> unit = "test_support_oracle_close"

external list : t -> first:int -> max:int -> raw array
  = "test_support_oracle_list"

external physinfo : t -> physinfo = "test_support_oracle_physinfo"
external version : t -> int = "test_support_oracle_version"
external extraversion : t -> string = "test_support_oracle_extraversion"
external compile_info : t -> compile_info = "test_support_oracle_compile_info"
external changeset : t -> string = "test_support_oracle_changeset"
external capabilities : t -> string = "test_support_oracle_capabilities"

external ask : t -> string -> int -> int -> int64 array = "test_support_oracle_ask"

external interfaces : unit -> int * int = "test_support_oracle_interfaces"
