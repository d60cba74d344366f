(** What a call costs. *)

(** Of one call that is not the first; [None] where nothing counts (see
    {!Test_support.Counters}). *)
type counts = {
  hypercalls : int option;  (** all of them *)
  list_hypercalls : int option;
  mappings : int option;
  words : int;  (** allocated in the OCaml heap *)
}

type way = {
  name : string;
  caller : unit -> unit -> unit;
      (** [caller ()] is what a thread calls: it does the thing once *)
  counts : counts Lazy.t;
}

val dropping : string -> (unit -> 'a) -> way
(** The result is dropped at once. *)

val keeping : string -> (unit -> 'a) -> way
(** Each thread's last result is kept until it has the next one. *)

(** Of microseconds, or of a ratio. *)
type spread = {
  least : float;
  lower : float;  (** a quarter is below *)
  median : float;
  upper : float;  (** a quarter is above *)
  mean : float;
}

type cost = {
  way : way;
  calls : int;  (** that were timed *)
  time : spread;  (** microseconds per call *)
  turns : float list;  (** the median of each turn that the way was in, else nan *)
}

val costs : ?samples:int -> ?threads:int -> seconds:float -> way list -> cost list
(** The ways are timed in turns, in an order that changes from turn to turn, so that what
    disturbs the machine disturbs them alike; under OCaml's ordinary garbage collection.

    A turn of a way is one call that is not timed and a few samples that are. A sample is one
    call, or as many as last for 50 microseconds. A way that takes far longer than its share of
    [seconds] sits out later turns. Each gets [samples] samples, or else as many as fit, from
    3 (if a call takes seconds) or 25 to 2000.

    With [threads], so many threads make the calls of each sample at once, and the time of a
    call is the sample's divided by the calls of all threads together. *)

val ratio : cost -> cost -> spread
(** How many times as long the first takes, turn by turn. *)

(** {1 Memory} *)

val peak_resident : unit -> int option
(** Of this process, in KiB, if the kernel tells. *)

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
