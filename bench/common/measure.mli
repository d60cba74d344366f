(** What a call costs. *)

(** Of one call that is not the first; [None] where nothing counts (see
    {!Test_support.Counters}). *)
type counts = {
  hypercalls : int option;  (** all of them; the most of three calls *)
  list_hypercalls : int option;  (** likewise *)
  mappings : int option;  (** of memory for hypercalls; of three calls the one in the middle *)
  words : int;  (** allocated in the OCaml heap *)
}

type way = {
  name : string;
  caller : unit -> unit -> unit;
      (** [caller ()] is what a thread calls: it does the thing once *)
  counts : counts Lazy.t;
}

val dropping : string -> (unit -> unit -> 'a) -> way
(** [dropping name prepare]: each thread prepares what it calls. The result is dropped at once. *)

val keeping : string -> (unit -> unit -> 'a) -> way
(** Likewise, but each thread's last result is kept until it has the next one. *)

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
  cpu : float Lazy.t;
      (** microseconds of CPU time per call in the long run, of one thread (else nan): of calls for
          0.2 seconds, 3 at least, without the other ways between them. So each call has its share
          of the way's own garbage collection, minor and major, which most calls with a small result
          do not meet; other programs' time is not in it. Measured where it is asked for. *)
  turns : float list;  (** the median of each turn that the way was in, else nan *)
}

val costs : ?samples:int -> ?threads:int -> seconds:float -> way list -> cost list
(** The ways are timed in turns, in an order that changes from turn to turn, so that what
    disturbs the machine disturbs them alike; under OCaml's ordinary garbage collection.

    A turn of a way is one call that is not timed and then five samples, or more until there
    were four minor collections or 20 milliseconds are over (a way that allocates nothing always
    takes these, so that a floor is not measured with colder caches than what stands on it). A sample is one call, of a way
    that takes less than 5 microseconds as many as last for 50. A way that takes far longer
    than its share of [seconds] sits out later turns. Each gets [samples] samples, or else as
    many turns as fit, 5 at least (3 if they take a second, 1 if it takes 15).

    With [threads], so many threads make the calls of each sample, a millisecond's, at once, and the
    time of a call is the sample's divided by the calls of all threads together. *)

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
