external nanoseconds : unit -> (int[@untagged])
  = "demo_nanoseconds_bytecode" "demo_nanoseconds"
  [@@noalloc]

let seconds_of f =
  let start = nanoseconds () in
  f ();
  Float.of_int (nanoseconds () - start) /. 1e9
