(** The domain list by ocaml-interop's conversions (bench/interop), a shared object that is
    loaded at run time, since its Rust would clash with this library's in one program. *)

type t

val load : string -> Handles.versions -> max:int -> t
(** With memory for [max] domains. Raises [Failure] where that file cannot be loaded. *)

val getinfolist : t -> Xenctrl.domaininfo list
(** All domains, ascending. One hypercall, with the runtime lock released. *)

val getinfo : t -> int -> Xenctrl.domaininfo
(** That one domain, which must exist. Likewise. *)
