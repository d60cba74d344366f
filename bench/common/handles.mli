(** Handles of what is compared with this library. *)

val classic : unit -> (Baseline.handle, string) result
(** The C stubs, or what libxenctrl says where it is of another Xen release. *)

(** The versions of the interfaces that the hypervisor accepts. *)
type versions = {
  sysctl : int;
  domctl : int;
}

val versions : unit -> versions

val floor : versions -> max:int -> Baseline.floor
(** With memory for [max] domains. *)
