(** Every external of [Xenctrl], [Xenmmap]'s on what one of them maps, and [Xenctrl_domains], each as
    a function of one record, so that a test can call any of them with anything. *)

(** What arguments are taken from. Each external uses those that suit its types. *)
type arguments = {
  domid : int;
  remote : int;  (** another domid *)
  n : int;  (** a vCPU, count, size, port, timer, ... *)
  m : int;  (** a second one *)
  quad : int * int * int * int;  (** a PCI device *)
  int32 : int32;
  int64 : int64;
  frame : nativeint;
  frames : nativeint;
  flag : bool;
  flags : bool array;
  text : string;
  uuid : string;
  choice : int;  (** which constructor, any number *)
  config : Xenctrl.domctl_create_config;
}

exception Bad_answer of string
(** An answer that no hypervisor can have given. *)

type t = {
  name : string;  (** the external's C symbol, or a part of [Xenctrl_domains] *)
  fails : bool;  (** whether [Failure] is among what it may raise *)
  call : Xenctrl.handle -> arguments -> unit;
      (** Raises {!Bad_answer} for an answer that cannot be, and what the external raises. What it
          made (a mapping, a domain) is undone. *)
}

val all : t list
