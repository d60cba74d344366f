type t =
  | Wall
  | Process
  | Thread

external nanoseconds : t -> (int[@untagged])
  = "storm_nanoseconds_bytecode" "storm_nanoseconds"
  [@@noalloc]
