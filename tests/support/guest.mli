(** Guests that execute, in a real Xen: what makes an HVM domain that [Xenctrl] created
    hold memory and run. By libxencall; nothing of this project's libraries is used. *)

val populate : int -> int -> unit
(** [populate domid count] gives a domain memory at its guest frames 0 to [count - 1], at
    most 256 of them. Raises [Failure] where that fails. *)

val start : domctl:int -> int -> vcpu:int -> int -> unit
(** [start ~domctl domid ~vcpu entry] brings a vCPU online, and all others of its domain
    offline: it is to begin at the address [entry], in 32-bit protected mode without
    paging, all segments flat, interrupts off, no stack. [domctl] is the release's
    interface version. The domain stays paused if it is. Raises [Failure] where that
    fails. *)
