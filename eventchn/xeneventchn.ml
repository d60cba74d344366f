type handle

type t = int

type virq_t =
  | Timer
  | Debug
  | Console
  | Dom_exc
  | Tbuf
  | Reserved_5
  | Debugger
  | Xenoprof
  | Con_ring
  | Pcpu_state
  | Mem_event
  | Xc_reserved
  | Enomem
  | Xenpmu

let to_int port = port

let of_int port = port

external _init : bool -> handle = "stub_eventchn_init"

let init ?(cloexec = true) () = _init cloexec

external fdopen : Unix.file_descr -> handle = "stub_eventchn_fdopen"

external fd : handle -> Unix.file_descr = "stub_eventchn_fd"

external notify : handle -> int -> unit = "stub_eventchn_notify"

external bind_interdomain : handle -> int -> int -> int
  = "stub_eventchn_bind_interdomain"

external bind_virq : handle -> virq_t -> int = "stub_eventchn_bind_virq"

let bind_dom_exc_virq h = bind_virq h Dom_exc

external unbind : handle -> int -> unit = "stub_eventchn_unbind"

(* Not upstream's symbol, which has another contract: there -1 would be a port. *)
external _pending : handle -> int = "stub_eventchn_wait"

(* What is allocated in OCaml code lets signal handlers run, in native code and in bytecode; and when
   a handler raises or ends its thread, no stub is under way. *)
let[@inline never] handle_signals () = ignore (Sys.opaque_identity (ref ()))

let rec pending h =
  handle_signals ();
  match _pending h with
  | -1 -> pending h
  | port -> port

external unmask : handle -> int -> unit = "stub_eventchn_unmask"
