(** A domain as this tool shows it. *)

type state = Running | Blocked | Paused | Shutdown | Crashed | Dying

type shutdown =
  | Reason of Xenctrl.shutdown_reason
  | Code of int  (** That is none of Xen's reasons. *)

type t = {
  domid : Xenctrl.domid;
  name : string option;  (** As xenstore has it, made printable. *)
  uuid : Xenctrl_domains.Uuid.t;
  states : state list;  (** In that order; a crashed domain is shut down, too. *)
  shutdown : shutdown option;
  hvm : bool;  (** HVM or PVH. *)
  memory_pages : nativeint;
  max_memory_pages : nativeint;
  vcpus : int;  (** Online. *)
  cpu_time : int64;  (** Nanoseconds. *)
}

type names

val names : unit -> names
(** Where names are read: xenstore. The domains of a simulated hypervisor have none, unless
    [XENSTORED_PATH] says where. *)

val close : names -> unit

val of_info : names -> Xenctrl.domaininfo -> t

val printable : string -> string
(** UTF-8 without control characters: others, and bytes that are no UTF-8, become U+FFFD. A name
    can then not act on a terminal. *)

val display_name : t -> string
(** What a table shows: where there is no name ["Domain-0"] for dom0, as xl does, and ["-"] for
    others. *)

val letters : t -> string
(** The states as [xl list] writes them, ["rbpscd"] or a dash for each. *)

val to_json : t -> Yojson.Safe.t
