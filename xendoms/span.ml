(* mtime's own conversions are not the same in its releases 1 and 2. *)

let of_seconds s = Mtime.Span.of_uint64_ns (Int64.of_float (s *. 1e9))
let to_seconds span = Int64.to_float (Mtime.Span.to_uint64_ns span) *. 1e-9
