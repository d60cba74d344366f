(** Event channels of the domain that the program runs in, through libxenevtchn.

    Every function raises [Failure] with the reason where the operation fails, and
    [Invalid_argument] for a port or domid out of range. *)

(** An open event channel interface. It is closed when it is collected. *)
type handle

(** A local event channel. *)
type t

(** Virtual interrupts, numbered as [VIRQ_*] in Xen's public header xen.h. *)
type virq_t =
  | Timer
  | Debug
  | Console
  | Dom_exc
  | Tbuf
  | Reserved_5
  | Debugger
  | Xenoprof
  | Con_ring
  | Pcpu_state
  | Mem_event
  | Xc_reserved
  | Enomem
  | Xenpmu

val to_int : t -> int

val of_int : int -> t

(** Opens an interface; its descriptor is closed on exec unless [~cloexec:false]. *)
val init : ?cloexec:bool -> unit -> handle

(** An interface on a descriptor that is open already, such as one inherited over exec. It is the
    interface's from then on, and closed with it. *)
val fdopen : Unix.file_descr -> handle

(** The interface's descriptor, for [Unix.select]: readable when {!pending} will not wait. *)
val fd : handle -> Unix.file_descr

(** Notifies the other end. *)
val notify : handle -> t -> unit

(** [bind_interdomain h domid port] is a local event channel connected to a domain's port. *)
val bind_interdomain : handle -> int -> int -> t

(** [bind_virq h Dom_exc]. *)
val bind_dom_exc_virq : handle -> t

(** A local event channel that receives a virtual interrupt. *)
val bind_virq : handle -> virq_t -> t

(** Closes a local event channel. *)
val unbind : handle -> t -> unit

(** Waits for an event and returns the event channel that has it, which is masked until
    {!unmask}. A signal interrupts the wait, which goes on when its handler has returned. (One that
    arrives in the moment before the wait begins is handled when the wait ends, or by another thread
    that runs meanwhile.) *)
val pending : handle -> t

(** Lets an event channel receive events again. *)
val unmask : handle -> t -> unit
