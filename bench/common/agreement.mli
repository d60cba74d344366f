(** Whether lists of the same domains, fetched one after the other, agree. *)

val differences :
  simulated:bool ->
  (string * Xenctrl.domaininfo list) list ->
  string list
(** What is wrong with the lists, each given with its name, in the order in which
    they were fetched: one line each, none if all is well. Domids must ascend and
    be the same in all lists; records must be equal but for what moves on meanwhile:
    CPU time, which must not go back, and, unless the hypervisor is simulated,
    whether a domain that is free to run is running or blocked. *)
