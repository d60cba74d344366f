(** A table in the place of xenstore: what a toolstack writes about a domain. The entries
    are as many as xenopsd's for such a guest, more or less, and short; nothing goes through
    a socket. *)

val write_domain : int -> uuid:string -> unit
(** /local/domain/DOMID and /vm/UUID *)

val write_device : int -> kind:string -> int -> unit
(** Front and back end of that device. *)

val remove_device : int -> kind:string -> int -> unit
val remove_domain : int -> uuid:string -> unit

val size : unit -> int
(** Entries of all domains. *)
