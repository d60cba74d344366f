(** Threads that run at once: on OCaml 5 in four domains, in parallel; before, in the one that there
    is. *)

val what : string
(** For the report: what runs at once. *)

val run : (unit -> unit) list -> unit
(** Starts a thread for each function and waits for all. *)
