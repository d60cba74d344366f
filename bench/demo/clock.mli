(** Time that only goes forward. *)

external nanoseconds : unit -> (int[@untagged])
  = "demo_nanoseconds_bytecode" "demo_nanoseconds"
  [@@noalloc]

val seconds_of : (unit -> unit) -> float
(** How long it takes. *)
