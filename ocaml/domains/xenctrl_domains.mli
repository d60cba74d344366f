(** The domains of a host, without a record for each.

    {!Xenctrl.domain_getinfolist} builds a record of 50 words for every domain. A toolstack mostly
    wants less: the one domain that has a UUID, or a few numbers of each. Here are both, and the
    difference between two looks.

    A look at all domains is one hypercall, whatever their number, except that a handle's first with
    more than 1167 domains takes several, while its buffer grows. What one answer of the
    hypervisor's is, and why it is not of one moment, {!Xenctrl.domain_getinfolist} says.

    Everything here may be called from any thread and, on OCaml 5, any domain at once. Errors are
    {!Xenctrl}'s: {!Xenctrl.Error} ["errno: message"] where a hypercall fails or the handle is
    closed. *)

(** {1 UUIDs} *)

(** A domain's UUID, which Xen calls its handle. *)
module Uuid : sig
  type t

  val of_string : string -> t
  (** Reads [xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx], hexadecimal digits of either case.
      @raise Invalid_argument for any other text. *)

  val of_string_opt : string -> t option
  (** Likewise, and [None] for any other text. *)

  val of_bytes : string -> t
  (** Takes the 16 bytes, in the order in which they are written.
      @raise Invalid_argument for any other length. *)

  val of_handle : int array -> t
  (** Takes the field [handle] of a {!Xenctrl.domaininfo}.
      @raise Invalid_argument unless it is 16 bytes. *)

  val to_string : t -> string
  (** Lower case. *)

  val to_bytes : t -> string

  val to_handle : t -> int array
  (** As the field [handle] has it, a new array. *)

  val equal : t -> t -> bool
  val compare : t -> t -> int

  val hash : t -> int
  (** With these three the module is an argument for [Hashtbl.Make] and [Map.Make]. *)

  val nil : t
  (** All zeroes, the UUID of dom0. *)
end

(** {1 One domain} *)

val find_by_uuid :
  ?hint:Xenctrl.domid -> Xenctrl.handle -> Uuid.t -> Xenctrl.domaininfo list
(** [find_by_uuid h uuid] is every domain with that UUID, the smallest domid first: none, one, or
    for a while two, as when a VM is migrated to the host that it is on. UUIDs change while domains
    run, so nothing is remembered between two calls: the answer is the hypervisor's of now.

    [hint] is for callers who know that a UUID is at most one domain's here: where the domain of
    that domid has the UUID now, it is the answer, and no other domain is looked at. Otherwise all
    are, as without a hint.

    Nothing is allocated for domains that do not match.

    Hypercall: [XEN_SYSCTL_getdomaininfolist]. With a hint [XEN_DOMCTL_getdomaininfo], and the other
    only if the hint was wrong.
    @raise Invalid_argument if [hint] is no domid. *)

val shutdown_reason : Xenctrl.domaininfo -> Xenctrl.shutdown_reason option
(** Why a domain has shut down; [None] if it has not, or if its [shutdown_code] is none of Xen's
    reasons. *)

(** {1 All domains} *)

(** All domains by one answer of the hypervisor's, in memory outside OCaml's heap.

    A snapshot's domains are numbered from 0 on, in ascending order of domid; functions of a domain
    take that number, an {!Snapshot.type-index}. Those whose result is an [int], a [bool] or a
    reason allocate nothing, nor do those of [int64] in native code where the result is used at
    once.

    All functions raise [Invalid_argument] for a number that is out of range, and after
    {!Snapshot.free}. A snapshot that one thread takes anew while another reads it gives the reader
    a mixture of both looks: let each have its own. A forked process has its own, as of one look,
    and takes it anew by a handle of its own. *)
module Snapshot : sig
  type t

  type index = private int
  (** A domain's number in a snapshot, which is not its domid; [(i :> int)] is the number itself. It
      says which domain for the snapshot alone that gave it, and until that is taken anew. *)

  val take : Xenctrl.handle -> t
  (** All domains, as they are now.

      Hypercall: [XEN_SYSCTL_getdomaininfolist]. *)

  val retake : Xenctrl.handle -> t -> unit
  (** The same into an existing snapshot: no memory is allocated. Where it fails the snapshot
      keeps what it had.

      Hypercall: [XEN_SYSCTL_getdomaininfolist]. *)

  val free : t -> unit
  (** Gives the memory back now rather than when the snapshot is collected.
      @raise Invalid_argument the second time. *)

  val length : t -> int
  (** How many domains there are. *)

  val index : t -> Xenctrl.domid -> index
  (** The number of a domain, by binary search.
      @raise Not_found if there is none of that domid. *)

  val index_opt : t -> Xenctrl.domid -> index option
  (** Likewise, and [None] if there is none of that domid. *)

  val find_by_uuid : t -> Uuid.t -> index list
  (** Every domain with that UUID, as of {!Xenctrl_domains.find_by_uuid} and in the same order, but
      as the snapshot has them: no hypercall is made. Nothing is allocated for domains that do not
      match. *)

  val nth : t -> int -> index
  (** [nth s i] is number [i], for loops that count by themselves.
      @raise Invalid_argument unless [i] is at least 0 and less than [length s]. *)

  val mem : t -> Xenctrl.domid -> bool
  (** Whether there is a domain of that domid. *)

  val iter : (index -> unit) -> t -> unit
  (** Calls a function with each domain's number, in order. *)

  val fold : ('a -> index -> 'a) -> 'a -> t -> 'a
  (** [fold f init s] is [f (... (f (f init 0) 1) ...) (length s - 1)]. *)

  val fold_right : (index -> 'a -> 'a) -> t -> 'a -> 'a
  (** [fold_right f s init] is [f 0 (f 1 (... (f (length s - 1) init) ...))], without a stack: what
      conses a list gets it in order. *)

  (** {2 What the record has}

      Of the names and meanings of {!Xenctrl.domaininfo}'s fields. *)

  val domid : t -> index -> Xenctrl.domid
  val dying : t -> index -> bool
  val shutdown : t -> index -> bool
  val paused : t -> index -> bool
  val blocked : t -> index -> bool
  val running : t -> index -> bool
  val hvm_guest : t -> index -> bool

  val shutdown_code : t -> index -> int
  (** 255 if the domain has not shut down. *)

  val shutdown_reason : t -> index -> Xenctrl.shutdown_reason option
  (** As of {!Xenctrl_domains.shutdown_reason}. *)

  val total_memory_pages : t -> index -> int
  val max_memory_pages : t -> index -> int

  external shared_info_frame : t -> (index[@untagged]) -> (int64[@unboxed])
    = "stub_xenctrl_snapshot_shared_info_frame_byte"
      "stub_xenctrl_snapshot_shared_info_frame"

  external cpu_time : t -> (index[@untagged]) -> (int64[@unboxed])
    = "stub_xenctrl_snapshot_cpu_time_byte" "stub_xenctrl_snapshot_cpu_time"
  (** In nanoseconds. *)

  val nr_online_vcpus : t -> index -> int

  val max_vcpu_id : t -> index -> int
  (** 4294967295 if the domain has no vCPUs. *)

  val ssidref : t -> index -> int
  (** Unsigned, where the record has an [int32]. *)

  val uuid : t -> index -> Uuid.t

  val has_uuid : t -> index -> Uuid.t -> bool
  (** Whether that is the domain's UUID; unlike with {!uuid}, nothing is allocated. *)

  val emulates : t -> index -> Xenctrl.x86_arch_emulation_flags -> bool
  (** Whether the field [arch_config] has that flag. *)

  val has_misc_flag : t -> index -> Xenctrl.x86_arch_misc_flags -> bool
  (** Likewise. *)

  val domaininfo : t -> index -> Xenctrl.domaininfo
  (** All of these as a record. *)

  (** {2 What it leaves out} *)

  val debugged : t -> index -> bool
  (** Whether a debugger is attached. *)

  val xs_domain : t -> index -> bool
  (** Whether it is the xenstore domain. *)

  val hap : t -> index -> bool
  (** Whether its page tables are nested by the hardware. *)

  val cpupool : t -> index -> int

  val outstanding_pages : t -> index -> int
  (** Claimed and not yet allocated. *)

  val shared_pages : t -> index -> int
  val paged_pages : t -> index -> int

  val gpaddr_bits : t -> index -> int
  (** Width of its physical addresses. *)
end

(** {1 What changed} *)

(** Domids, each list in ascending order. *)
type changes = {
  appeared : Xenctrl.domid list;
  gone : Xenctrl.domid list;
  shut_down : Xenctrl.domid list;
      (** In both snapshots; shut down in the later one, and in the earlier one not or for another
          reason. *)
  renamed : Xenctrl.domid list;  (** In both, with another UUID. *)
}

val changes : before:Snapshot.t -> after:Snapshot.t -> changes
(** What differs between two snapshots, in time linear in their lengths.

    Who acts by UUID reads that of a domain that is [gone] from [before], ahead of taking that
    anew: [Snapshot.uuid before (Snapshot.index before domid)]. Likewise the old one of a
    domain that is [renamed].

    A domid that was given to another domain in between is among the [renamed], unless the two
    domains have the same UUID too: Xen hands domids out in turn, so that takes 32752 domains. *)
