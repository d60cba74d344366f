(** Successive tables, with what changed from one to the next. *)

type look
(** All domains by one answer of the hypervisor's, with their names. *)

val look : ?into:Xenctrl_domains.Snapshot.t -> Xenctrl.handle -> look
(** [into] is taken anew for it, and what was looked at with it is lost. *)

val rows : before:look option -> after:look -> Table.row list
(** The table after a second look. CPU percentages are those of the time between both; domains that
    appeared, were given another UUID or shut down since the first are marked, and those that are
    gone are there once more. *)

val run :
  Xenctrl.handle ->
  wanted:Xenctrl_domains.Uuid.t option ->
  interval:float ->
  rounds:int option ->
  style:Fmt.style_renderer ->
  unit
(** Shows all domains, or those of a UUID, every [interval] seconds until it is told to end, at
    most [rounds] times. Each look is a {!Xenctrl_domains.Snapshot.t}, taken or taken anew. Ends
    the program if a signal tells it to. *)
