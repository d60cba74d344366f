(** A xenstored for tests: a Unix socket and a thread that answers as a test wants. *)

type request = { kind : int32; request : int32; transaction : int32; payload : string }

type action =
  | Send of string
  | Hang_up  (** No more is read or sent. *)

val message : ?kind:int32 -> ?transaction:int32 -> ?length:int -> int32 -> string -> string
(** A reply to the request of that number; kind 2 (read) and the length of the payload unless told
    otherwise. *)

val answer : (string -> string option) -> request -> action list
(** As a xenstored does, for the values at paths. *)

val with_ : (request -> action list) -> (unit -> 'a) -> 'a
(** Runs a function with [XENSTORED_PATH] set to the socket of a server that meets each request so. *)
