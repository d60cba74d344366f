external nanoseconds : unit -> (int[@untagged])
  = "bench_nanoseconds_bytecode" "bench_nanoseconds"
  [@@noalloc]

let seconds_of f =
  let start = nanoseconds () in
  f ();
  Float.of_int (nanoseconds () - start) /. 1e9
