(** How many hypercalls, mappings and so on the process has made, by name:
    ["hypercalls"], ["sysctl"], ["sysctl.getdomaininfolist"], ["mappings"], ...

    The simulated hypervisor keeps count itself; on a real Xen libcount.so does, if
    it was preloaded (bench/count). Where both are there the simulator counts. *)

val source : unit -> [ `Xensim | `Preload | `None ]
(** Raises [Failure] where libcount.so was to be preloaded and was not. *)

val get : string -> int
(** Since the last reset. Raises [Invalid_argument] where the source has no counter
    of that name, and [Failure] where there is no source. *)

val reset : unit -> unit
(** All of them. Does nothing where there is no source. *)
