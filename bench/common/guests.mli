(** Domains made for the occasion, on a real Xen. *)

exception Interrupted
(** By SIGINT, SIGTERM or SIGHUP. *)

val with_more : Xenctrl.handle -> int -> (unit -> 'a) -> 'a
(** [with_more h n f] creates [n] empty PV domains, each with a UUID of its own, calls
    [f] and destroys them again, also if something fails or the program is
    interrupted on the way. *)

val grow : Xenctrl.handle -> guests:int -> hvm:int -> unit
(** Creates empty domains until there are [guests] beside dom0, and leaves them there.
    Every other one of the first is HVM with the usual ten emulation flags, until there are [hvm]
    of them; the rest are PV. Progress goes to standard error. *)
