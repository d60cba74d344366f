(** Guests without memory, for [Xenctrl.domain_create]. *)

(** A PV guest of one vCPU, its tables as large as the hypervisor thinks right. *)
val pv : string -> Xenctrl.domctl_create_config

(** As little as a domain can be: the least of tables. *)
val least : string -> Xenctrl.domctl_create_config

(** An HVM guest with these devices emulated. *)
val hvm :
  string -> Xenctrl.x86_arch_emulation_flags list -> Xenctrl.domctl_create_config
