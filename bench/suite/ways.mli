(** Everything that is measured. *)

type t = {
  operation : string;  (** ["list"], ["getinfo"], ["find"], ["snapshot"], or a loop of docs/toolstack.md *)
  name : string;
      (** ["this"] is this library's way, to which the others of the operation are compared *)
  dropped : Measure.way;
  kept : Measure.way;
  quadratic : bool;  (** in the number of domains *)
}

val all : interop:string -> domains:int -> Xenctrl.handle -> t list
(** By operation. [interop] is the file of {!Interop.load}, [domains] how many there are.
    Raises [Failure] where one of them cannot be used here. *)

val disagreements :
  interop:string -> domains:int -> simulated:bool -> Xenctrl.handle -> string list
(** Where the ways of an operation give different answers, one line each. *)
