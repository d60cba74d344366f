(** The domain list as C stubs over libxenctrl make it, for benchmarks and for
    tests that compare answers.

    The stubs are new, but work the way the classic ones do: a buffer for each
    call, a hypercall through libxenctrl's bounce buffers, and an OCaml record
    built field by field for each domain. What could corrupt memory there is right
    here, so that a comparison may run for long: the x86 record has both of its
    fields, every store into a block that may be old goes through the write
    barrier, and a handle that failed to open is not closed.

    The library links with libxenctrl, and so fits one Xen release. The list is a
    sysctl, whose version 4.17 to 4.20 share.

    All of it raises [Failure "errno: message"] where the hypervisor, or libxenctrl,
    refuses. *)

type handle

val interface_open : unit -> handle

val getinfolist : handle -> int -> int -> Xenctrl.domaininfo list
(** [getinfolist h first nb]: at most [nb] domains from the domid [first] on, the
    largest domid first. One hypercall, with the runtime lock released. *)

val getinfo : handle -> int -> Xenctrl.domaininfo
(** That one domain. One hypercall, with the runtime lock held. *)

val list_chunked : chunk:int -> handle -> int -> Xenctrl.domaininfo list
(** All domains from the given domid on, in ascending order, [chunk] at a time,
    recursively. With [~chunk:2] this is the loop of Xen 4.17.0 and before. *)

val list_1024 : handle -> int -> Xenctrl.domaininfo list
(** The same by the loop of today: 1024 at a time until there are none left. *)

(** {1 Parts of it, to see what each costs} *)

val bare : handle -> int -> int -> int
(** [bare h first nb]: the call of libxenctrl's that {!getinfolist} makes, with the lock
    released and memory as there. The answer is thrown away; the result is the domid to go
    on from, [first] if there were no domains. *)

val bare_1024 : handle -> int
(** All those calls that {!list_1024} makes, and nothing else. *)

type floor

val floor_open : sysctl_version:int -> max:int -> floor
(** A handle of libxencall with hypercall-safe memory for [max] domains in it.
    [sysctl_version] is the interface version of the running hypervisor. *)

val floor : floor -> int
(** The hypercall alone, with that memory, from domid 0 on: nothing is allocated,
    mapped, copied or looked at. The runtime lock is held. The result is how many
    domains were in the answer. *)

val floor_getinfo : floor -> domctl_version:int -> int -> int
(** Likewise [XEN_DOMCTL_getdomaininfo] of one domain; the result is its domid. *)
