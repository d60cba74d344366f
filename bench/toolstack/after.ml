(* The same with Xenctrl_domains. *)

open Xenctrl_domains

let domains_of_uuid xc uuid = find_by_uuid xc (Uuid.of_string uuid)

module Watcher = struct
  type t = { mutable seen : Snapshot.t; mutable spare : Snapshot.t }

  let create xc = { seen = Snapshot.take xc; spare = Snapshot.take xc }

  let look t xc =
    Snapshot.retake xc t.spare;
    let { appeared; gone; shut_down; renamed = _ } =
      changes ~before:t.seen ~after:t.spare
    in
    let seen = t.seen in
    t.seen <- t.spare;
    t.spare <- seen;
    List.sort compare (appeared @ gone @ shut_down)
end

(* [s] is kept from one time to the next. *)
let make_host xc s =
  Snapshot.retake xc s;
  let kib pages = Xenctrl.pages_to_kib (Int64.of_int pages) in
  List.rev
    (Snapshot.fold
       (fun host i ->
         if Snapshot.shutdown s i then host
         else
           ( Snapshot.domid s i,
             kib (Snapshot.total_memory_pages s i),
             kib (Snapshot.max_memory_pages s i) )
           :: host)
       [] s)

let domain_snapshot xc s =
  Snapshot.retake xc s;
  let list add = Snapshot.fold_right add s [] in
  ( list (fun i domains ->
        ( Snapshot.domid s i,
          Uuid.to_string (Snapshot.uuid s i),
          Snapshot.cpu_time s i )
        :: domains),
    list (fun i paused ->
        if Snapshot.paused s i then Snapshot.domid s i :: paused else paused) )
