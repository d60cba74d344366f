(** Memory mapped from a file, or from another domain by [Xenctrl.map_foreign_range].

    Offsets and lengths are in bytes. *)

(** A mapping. It stays until {!unmap}: the collector does not undo it. *)
type mmap_interface

type mmap_prot_flag =
  | RDONLY
  | WRONLY
  | RDWR

type mmap_map_flag =
  | SHARED
  | PRIVATE

(** [mmap fd prot map length offset] maps [length] bytes of a file from [offset] on, a multiple of
    the page size.

    Raises [Failure "mmap: errno: message"] if the kernel refuses. To read or write where a file has ended
    since, or was always shorter, ends the process. *)
external mmap :
  Unix.file_descr -> mmap_prot_flag -> mmap_map_flag -> int -> int -> mmap_interface
  = "stub_mmap_init"

(** Undoes a mapping. Nothing happens the second time. On OCaml 5 no other domain may be reading or
    writing it meanwhile. *)
external unmap : mmap_interface -> unit = "stub_mmap_final"

(** [read m start length] is a copy of [length] bytes from [start] on.

    Raises [Invalid_argument] if they are not all in the mapping, or it was undone. *)
external read : mmap_interface -> int -> int -> string = "stub_mmap_read"

(** [write m data start] copies [data] to [start].

    Raises [Invalid_argument] if it is not all in the mapping, or that was undone or is [RDONLY]. *)
external write : mmap_interface -> string -> int -> unit = "stub_mmap_write"

(** Bytes of a page. *)
external getpagesize : unit -> int = "stub_mmap_getpagesize"
