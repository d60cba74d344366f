(** Lengths of time, in seconds. *)

val of_seconds : float -> Mtime.Span.t
val to_seconds : Mtime.Span.t -> float
