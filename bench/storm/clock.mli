(** Nanoseconds. *)

type t =
  | Wall  (** only goes forward *)
  | Process  (** CPU time of all threads, in the kernel and the hypervisor too *)
  | Thread  (** CPU time of the calling thread: waiting for a lock is none *)

external nanoseconds : t -> (int[@untagged])
  = "storm_nanoseconds_bytecode" "storm_nanoseconds"
  [@@noalloc]
