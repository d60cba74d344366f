(** What the questions about domains cost, added up over all threads. *)

(** Who asks. *)
type asker =
  | Lookup  (** xenopsd: which domain has this UUID? *)
  | Watcher  (** of xenopsd and of squeezed: which domains came or went? *)
  | Balancer  (** squeezed: who has how much memory? *)
  | Metrics  (** rrdd and its plugins: how are they doing? *)

val askers : (asker * string) list
(** All of them, with their names. *)

type totals = {
  questions : int;
  cpu : int;  (** nanoseconds of CPU time in questions *)
  lists : int;  (** fetches of all domains, or searches through them all *)
  list_cpu : int;  (** nanoseconds of CPU time in those: part of [cpu] *)
  foretold : int;  (** hypercalls that those should have made *)
}

val question : asker -> (unit -> 'a) -> 'a
(** Counts and times it. *)

val list : (unit -> 'a) -> hypercalls:('a -> int) -> 'a
(** Counts and times the fetch inside a question. [hypercalls] says from its result how
    many hypercalls it must have taken. *)

val of_asker : asker -> int * int
(** Questions, and nanoseconds of CPU time in them. *)

val totals : unit -> totals
