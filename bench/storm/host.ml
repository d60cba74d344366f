(** What the program wants of a host, by whatever means. *)

(** What a watcher tells about two looks: domids, ascending. *)
type changes = {
  appeared : int list;
  gone : int list;
  shut_down : int list;  (** in both; since the first look shut down, or for another reason *)
}

(** What squeezed adds up before it moves memory. Pages. *)
type memory = {
  domains : int;
  total : int;
  most : int;
}

(** What rrdd makes of the domains. *)
type sample = {
  sampled : int;  (** domains *)
  paused : int;  (** of them *)
  cpu_time : int64;  (** nanoseconds, the sum of all *)
}

(** What a way of asking for domains costs, and what it is called. *)
type way = {
  name : string;
  hypercalls : int -> int;  (** that a list of so many domains takes *)
  one_more : bool;
      (** whether a list takes one more if a domain is created while it is under way *)
}

module type S = sig
  val way : way

  type handle

  val interface_open : unit -> handle

  (** {2 What is done to a domain} *)

  val domain_create : handle -> uuid:string -> int
  (** An empty PV guest, as little as a domain can be. *)

  val domain_sethandle : handle -> int -> string -> unit
  val domain_max_vcpus : handle -> int -> int -> unit

  val domain_setmaxmem : handle -> int -> int64 -> unit
  (** KiB *)

  val domain_unpause : handle -> int -> unit

  val domain_poweroff : handle -> int -> unit
  (** Shuts it down, as if it had asked for that itself. *)

  val domain_destroy : handle -> int -> unit

  (** {2 What is asked about domains} *)

  type uuid

  val uuid : string -> uuid

  type domain

  val domid : domain -> int
  val shutdown : domain -> bool

  val find : handle -> uuid -> domain list
  (** All domains with that UUID. *)

  type seen
  (** What a watcher saw last. *)

  val nothing : unit -> seen

  val watch : handle -> seen -> changes
  (** Looks again. *)

  val running : handle -> int
  (** How many domains have not shut down: squeezed's watcher keeps their domids. *)

  val balance : handle -> memory
  val sample : handle -> sample
end
