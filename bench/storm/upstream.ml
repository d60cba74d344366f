(* A module in the shape of upstream's Xenctrl: the same types, the same names of stubs, and the
   two loops that it has had around the list. Whose stubs these are is decided when a program is
   linked. *)

include Upstream_types

type shutdown_reason =
  | Poweroff
  | Reboot
  | Suspend
  | Crash
  | Watchdog
  | Soft_reset

exception Error of string

let () = Callback.register_exception "xc.error" (Error "register_callback")

type handle

external interface_open : unit -> handle = "stub_xc_interface_open"

external domain_create : handle -> domid -> domctl_create_config -> domid
  = "stub_xc_domain_create"

external domain_sethandle : handle -> domid -> string -> unit = "stub_xc_domain_sethandle"
external domain_max_vcpus : handle -> domid -> int -> unit = "stub_xc_domain_max_vcpus"
external domain_setmaxmem : handle -> domid -> int64 -> unit = "stub_xc_domain_setmaxmem"
external domain_unpause : handle -> domid -> unit = "stub_xc_domain_unpause"

external domain_shutdown : handle -> domid -> shutdown_reason -> unit
  = "stub_xc_domain_shutdown"

external domain_destroy : handle -> domid -> unit = "stub_xc_domain_destroy"

external _domain_getinfolist : handle -> domid -> int -> domaininfo list
  = "stub_xc_domain_getinfolist"

(* Until 4.17.0: a chunk that is not full is the last one. As deep on the stack as there are
   chunks, and each append copies what the deeper ones found. *)
let domain_getinfolist_2 h first =
  let rec descending from =
    let page = _domain_getinfolist h from 2 in
    let later =
      if List.length page = 2 then descending ((List.hd page).domid + 1) else []
    in
    later @ page
  in
  List.rev (descending first)

(* Since then: only an empty chunk is the last one. *)
let domain_getinfolist_1024 h first =
  let rec pages found from =
    match _domain_getinfolist h from 1024 with
    | [] -> List.fold_left (fun tail page -> List.rev_append page tail) [] found
    | largest :: _ as page -> pages (page :: found) (largest.domid + 1)
  in
  pages [] first
