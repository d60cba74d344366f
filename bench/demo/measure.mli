(** What a call costs. *)

type way = {
  name : string;
  call : unit -> unit;  (** lists the domains and drops the list *)
}

(** Counts are of one call, and [None] where nothing counts (see
    {!Test_support.Counters}). *)
type cost = {
  way : way;
  hypercalls : int option;  (** all of them *)
  list_hypercalls : int option;
  mappings : int option;
  words : int;  (** allocated in the OCaml heap *)
  calls : int;  (** that were timed *)
  median : float;  (** microseconds, as the two that follow *)
  mean : float;
  least : float;
}

val costs : ?calls:int -> seconds:float -> way list -> cost list
(** The ways are timed in turns of five calls, in an order that changes from turn to
    turn, so that what disturbs the machine disturbs them alike; under OCaml's ordinary
    garbage collection. Each gets [calls] calls, or else as many as fit into [seconds],
    from 5 to 1000. *)

(** Many calls of one way, one after the other. *)
type long_run = {
  total_calls : int;
  total_hypercalls : int option;
  total_mappings : int option;
  growth : int option;
      (** of resident memory without garbage, in KiB, if the kernel tells *)
  each : float;  (** microseconds, garbage collection included *)
}

val long_run : calls:int -> way -> long_run
