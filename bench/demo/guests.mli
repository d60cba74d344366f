(** Domains made for the occasion, on a real Xen. *)

exception Interrupted
(** By SIGINT, SIGTERM or SIGHUP. *)

val with_more : Xenctrl.handle -> int -> (unit -> 'a) -> 'a
(** [with_more h n f] creates [n] empty PV domains, each with a UUID of its own, calls
    [f] and destroys them again, also if something fails or the program is
    interrupted on the way. *)
