(** libxenctrl's answers as this project's records, to compare. *)

val of_bits : 'a list -> int -> 'a list
(** The constructors that the bits of a word number, the greatest first, as upstream lists them. *)

val all_emulation_flags : Xenctrl.x86_arch_emulation_flags list
(** In the order of their bits. *)

val expected : Test_support.Oracle.raw -> Xenctrl.domaininfo
(** The record that libxenctrl's answer is in OCaml. *)

val still : Xenctrl.domaininfo -> Xenctrl.domaininfo
(** Without what time changes: CPU time, and whether a vCPU runs just now. *)
