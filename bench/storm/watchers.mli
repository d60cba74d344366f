(** Threads beside the workers. *)

(** A thread that does something once for each event, one after the other, as one that
    reads xenstore's watches does. *)
module Per_event : sig
  type t

  val start : (unit -> unit) -> t
  val post : t -> unit
  val wait_until_idle : t -> unit
  val stop : t -> unit
end

(** A thread that does something every so many seconds. *)
module Periodic : sig
  type t

  val start : every:float -> (unit -> unit) -> t

  val stop : t -> unit
  (** Waits for what it is at, not for the rest of its period. *)
end
