external available : unit -> bool = "scarce_available"
external order : int -> int -> unit = "scarce_order_stub" [@@noalloc]
external end_ : unit -> int = "scarce_end_stub" [@@noalloc]

let there = lazy (available ())

let run ~first ~count f =
  if not (Lazy.force there) then failwith "Scarce.run: libscarce.so is not preloaded";
  order first count;
  match f () with
  | result ->
    let seen = end_ () in
    (Ok result, seen)
  | exception e ->
    let seen = end_ () in
    (Error e, seen)
