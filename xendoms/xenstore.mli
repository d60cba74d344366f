(** Reads single values from xenstore, by its public wire protocol (Xen's
    [public/io/xs_wire.h]).

    A client is for names beside a list of domains: whatever goes wrong, a value is just not
    known. What the other side sends is not trusted, and it gets a limited time in all. *)

type t

val connect : ?timeout:float -> unit -> t option
(** A connection to the first of these that there is: the socket that the environment variable
    [XENSTORED_PATH] names, and no other if it is set; xenstored's socket, [/run/xenstored/socket]
    or [/var/run/xenstored/socket]; the kernel's device [/dev/xen/xenbus].

    [timeout] is for all reads together, in seconds, 1 unless told otherwise. *)

val read : t -> string -> string option
(** The value at a path; none if there is none or it may not be read. A reply that is late, or is
    not one to this request, ends the connection: all later reads answer none at once. *)

val failure : t -> string option
(** Why the connection ended, if it did. *)

val close : t -> unit
