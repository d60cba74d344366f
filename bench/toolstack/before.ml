(* What a toolstack does with the list: the loops of XAPI's daemons, cut to what they take from
   Xen. [list ()] is all domains, as of [Xenctrl.domain_getinfolist xc 0]. *)

module IntMap = Map.Make (Int)

let uuid_of_handle handle =
  let text = Buffer.create 36 in
  Array.iteri
    (fun i byte ->
      if i = 4 || i = 6 || i = 8 || i = 10 then Buffer.add_char text '-';
      Buffer.add_string text (Printf.sprintf "%02x" byte))
    handle;
  Buffer.contents text

(* xenopsd: which domains are this VM? A dozen times for each VM start. *)
let domains_of_uuid ~list uuid =
  List.filter
    (fun (d : Xenctrl.domaininfo) -> uuid_of_handle d.handle = uuid)
    (list ())

(* The xenstore watcher: what happened since the last time? At each domain that comes or goes. *)
module Watcher = struct
  type t = { mutable domains : Xenctrl.domaininfo IntMap.t }

  let map ~list =
    List.fold_left
      (fun domains (d : Xenctrl.domaininfo) -> IntMap.add d.domid d domains)
      IntMap.empty (list ())

  let create ~list = { domains = map ~list }

  (* Domids that came, went, or shut down. *)
  let look t ~list =
    let now = map ~list in
    let changed =
      IntMap.merge
        (fun _ before after ->
          match (before, after) with
          | Some (b : Xenctrl.domaininfo), Some (a : Xenctrl.domaininfo) ->
            if b.shutdown <> a.shutdown || b.shutdown_code <> a.shutdown_code
            then Some ()
            else None
          | Some _, None | None, Some _ -> Some ()
          | None, None -> None)
        t.domains now
    in
    t.domains <- now;
    List.map fst (IntMap.bindings changed)
end

(* squeezed: how much memory has each domain, how much may it have? At each request for memory and
   every ten seconds. *)
let make_host ~list =
  List.filter_map
    (fun (d : Xenctrl.domaininfo) ->
      if d.shutdown then None
      else
        let kib pages = Xenctrl.pages_to_kib (Int64.of_nativeint pages) in
        Some (d.domid, kib d.total_memory_pages, kib d.max_memory_pages))
    (list ())

(* rrdd and its plugins: the UUID and CPU time of each domain, and which are paused. Every five
   seconds. *)
let domain_snapshot ~list =
  let domains = list () in
  let paused =
    List.filter_map
      (fun (d : Xenctrl.domaininfo) -> if d.paused then Some d.domid else None)
      domains
  in
  ( List.map
      (fun (d : Xenctrl.domaininfo) ->
        (d.domid, uuid_of_handle d.handle, d.cpu_time))
      domains,
    paused )
