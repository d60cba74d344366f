(** Time that only goes forward. *)

external nanoseconds : unit -> (int[@untagged])
  = "bench_nanoseconds_bytecode" "bench_nanoseconds"
  [@@noalloc]

val seconds_of : (unit -> unit) -> float
(** How long it takes. *)
