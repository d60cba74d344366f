(** Of this process. *)

val resident_kib : unit -> int
(** Resident memory, in KiB. *)
