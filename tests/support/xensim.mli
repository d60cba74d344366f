(** Control of the simulated hypervisor, where the libxencall that this process
    has is xensim's. It can be configured before any handle is opened. *)

val available : unit -> bool

val configure : string -> unit
(** Raises [Failure] with xensim's own words where it refuses, and where this
    process has no xensim. *)
