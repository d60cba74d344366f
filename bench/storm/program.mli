(** The program. *)

val main : (string * (module Host.S)) list -> unit
(** Runs it and exits. The ways are what its option --chunk chooses from, where there are
    several. *)
