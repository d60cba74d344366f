(** The program over upstream's module: whatever it asks, it fetches the list of all domains
    and searches that, as XAPI's daemons do. *)

val main : chunks_of_2:Storm.Host.way -> chunks_of_1024:Storm.Host.way -> unit
(** Runs the program, through the loop that its option --chunk names. Each is described as it
    is with the stubs that the program is linked with. *)
