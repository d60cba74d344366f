open Upstream
module Cost = Storm.Cost
module Host = Storm.Host
module Int_map = Map.Make (Int)
module Int_set = Set.Make (Int)

(* As little as a domain can be: no memory, the least of tables. *)
let empty uuid =
  {
    ssidref = 0l;
    handle = uuid;
    flags = [];
    iommu_opts = [];
    max_vcpus = 1;
    max_evtchn_port = -1;
    max_grant_frames = 1;
    max_maptrack_frames = 1;
    max_grant_version = 1;
    cpupool_id = 0l;
    arch = X86 { emulation_flags = []; misc_flags = [] };
  }

(* A UUID as XAPI has it: a string of 16 bytes, made of a domain's handle one byte at a time. *)
let uuid_of_handle handle =
  let bytes = String.of_seq (Seq.map char_of_int (Array.to_seq handle)) in
  if String.length bytes = 16 then bytes else failwith "a handle is not 16 bytes"

let uuid_of_text text =
  let digits = String.concat "" (String.split_on_char '-' text) in
  String.init 16 (fun i -> char_of_int (int_of_string ("0x" ^ String.sub digits (2 * i) 2)))

module type List_of_domains = sig
  val way : Host.way
  val domain_getinfolist : handle -> domid -> domaininfo list
end

module Make (L : List_of_domains) : Host.S = struct
  let way = L.way

  let list h =
    Cost.list
      (fun () -> L.domain_getinfolist h 0)
      ~hypercalls:(fun list -> L.way.hypercalls (List.length list))

  type nonrec handle = handle

  let interface_open = interface_open
  let domain_create h ~uuid = domain_create h 0 (empty uuid)
  let domain_sethandle = domain_sethandle
  let domain_max_vcpus = domain_max_vcpus
  let domain_setmaxmem = domain_setmaxmem
  let domain_unpause = domain_unpause
  let domain_poweroff h domid = domain_shutdown h domid Poweroff
  let domain_destroy = domain_destroy

  type uuid = string

  let uuid = uuid_of_text

  type domain = domaininfo

  let domid d = d.domid
  let shutdown (d : domain) = d.shutdown

  (* With the polymorphic comparison, as there. *)
  let find h (uuid : uuid) =
    List.filter (fun d -> Stdlib.compare (uuid_of_handle d.handle) uuid = 0) (list h)

  type seen = domaininfo Int_map.t ref

  let nothing () = ref Int_map.empty

  let looks_different (a : domaininfo) (b : domaininfo) =
    a.shutdown <> b.shutdown
    || (a.shutdown && b.shutdown && a.shutdown_code <> b.shutdown_code)

  type change =
    | Appeared
    | Gone
    | Shut_down

  let watch h seen : Host.changes =
    let before = !seen in
    let after =
      List.fold_left (fun map d -> Int_map.add d.domid d map) Int_map.empty (list h)
    in
    seen := after;
    let different =
      Int_map.merge
        (fun _ a b ->
          match (a, b) with
          | None, Some _ -> Some Appeared
          | Some _, None -> Some Gone
          | Some a, Some b when looks_different a b -> Some Shut_down
          | Some _, Some _ | None, None -> None)
        before after
    in
    let those change =
      List.filter_map
        (fun (domid, c) -> if c = change then Some domid else None)
        (Int_map.bindings different)
    in
    { appeared = those Appeared; gone = those Gone; shut_down = those Shut_down }

  let running h =
    Int_set.cardinal
      (Int_set.of_list
         (List.filter_map
            (fun (d : domaininfo) -> if d.shutdown then None else Some d.domid)
            (list h)))

  (* A record for each domain, from which the host's is made. *)
  let balance h : Host.memory =
    let each =
      List.map
        (fun d ->
          ( d.domid,
            Nativeint.to_int d.total_memory_pages,
            Nativeint.to_int d.max_memory_pages ))
        (list h)
    in
    List.fold_left
      (fun { Host.domains; total; most } (_, pages, max_pages) ->
        { Host.domains = domains + 1; total = total + pages; most = most + max_pages })
      { Host.domains = 0; total = 0; most = 0 }
      each

  let dom0 = String.make 16 '\000'

  let sample h : Host.sample =
    let guests =
      List.filter_map
        (fun d ->
          let uuid = uuid_of_handle d.handle in
          if uuid = dom0 then None else Some (uuid, d))
        (list h)
    in
    let paused =
      List.filter_map
        (fun (uuid, (d : domaininfo)) -> if d.paused then Some uuid else None)
        guests
    in
    {
      sampled = List.length guests;
      paused = List.length paused;
      cpu_time = List.fold_left (fun sum (_, d) -> Int64.add sum d.cpu_time) 0L guests;
    }
end

let main ~chunks_of_2 ~chunks_of_1024 =
  let by way domain_getinfolist =
    (module Make (struct
      let way = way
      let domain_getinfolist = domain_getinfolist
    end) : Host.S)
  in
  Storm.Program.main
    [
      ("2", by chunks_of_2 domain_getinfolist_2);
      ("1024", by chunks_of_1024 domain_getinfolist_1024);
    ]
