(** Everything that is measured. *)

type t = {
  operation : string;  (** ["list"], ["getinfo"], ["find"], ["snapshot"], or a loop of docs/toolstack.md *)
  name : string;
      (** ["this"] is this library's way, to which the others of the operation are compared *)
  dropped : Measure.way;
  kept : Measure.way;
  quadratic : bool;  (** in the number of domains *)
}

val all :
  interop:string -> domains:int -> target:Xenctrl.domaininfo -> Xenctrl.handle -> t list
(** By operation. [interop] is the file of {!Interop.load}, [domains] how many there are, [target]
    the one that is asked for or looked for. Raises [Failure] where one of them cannot be used
    here. What only some of them need (buffers, snapshots) is made when they are called. *)

val disagreements :
  interop:string ->
  domains:int ->
  target:Xenctrl.domaininfo ->
  simulated:bool ->
  Xenctrl.handle ->
  string list
(** Where the ways of an operation give different answers, one line each. *)
