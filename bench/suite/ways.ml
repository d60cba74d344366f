type t = {
  operation : string;
  name : string;
  dropped : Measure.way;
  kept : Measure.way;
  quadratic : bool;
}

(* Each thread has a function of its own. *)
let way_of_thread ?(quadratic = false) operation name f =
  {
    operation;
    name;
    dropped = Measure.dropping name f;
    kept = Measure.keeping name f;
    quadratic;
  }

let way ?quadratic operation name f =
  way_of_thread ?quadratic operation name (fun () -> f)

(* What only some ways need is there once one of these is called: memory is measured of
   processes that call one way. *)
type sources = {
  classic : Baseline.handle;
  interop : Interop.t Lazy.t;
  floor : Baseline.floor Lazy.t;
  versions : Handles.versions;
  ours : Xenctrl.handle;
  target : Xenctrl.domaininfo;  (* the domain that is asked for or looked for *)
}

let sources ~interop ~domains ~target ours =
  let classic =
    match Handles.classic () with
    | Ok h -> h
    | Error error -> failwith ("libxenctrl is of another release: " ^ error)
  in
  let versions = Handles.versions () in
  (* With room for domains that come meanwhile. *)
  let max = min 32752 (domains + 24) in
  {
    classic;
    interop = lazy (Interop.load interop versions ~max);
    floor = lazy (Handles.floor versions ~max);
    versions;
    ours;
    target;
  }

let classic_2 s () = Baseline.list_chunked ~chunk:2 s.classic 0
let classic_1024 s () = Baseline.list_1024 s.classic 0
let interop s () = Interop.getinfolist (Lazy.force s.interop)
let this s () = Xenctrl.domain_getinfolist s.ours 0
let floor s () = Baseline.floor (Lazy.force s.floor)

let lists s =
  [
    way "list" "classic-2" ~quadratic:true (classic_2 s);
    way "list" "classic-1024" (classic_1024 s);
    way "list" "interop" (interop s);
    way "list" "this" (this s);
    way "list" "bare-1024" (fun () -> Baseline.bare_1024 s.classic);
    way "list" "floor" (floor s);
  ]

let getinfos s =
  let domid = s.target.domid in
  let domctl_version = s.versions.domctl in
  [
    way "getinfo" "classic" (fun () -> Baseline.getinfo s.classic domid);
    way "getinfo" "interop" (fun () -> Interop.getinfo (Lazy.force s.interop) domid);
    way "getinfo" "this" (fun () -> Xenctrl.domain_getinfo s.ours domid);
    way "getinfo" "bare" (fun () -> Baseline.bare s.classic domid 1);
    way "getinfo" "floor" (fun () ->
        Baseline.floor_getinfo (Lazy.force s.floor) ~domctl_version domid);
  ]

(* The UUID as text of 16 bytes, the shortest there is: toolstacks make longer ones. *)
let bytes_of_handle handle =
  String.init (Array.length handle) (fun i -> Char.chr handle.(i))

(* As the toolstack looks for a domain: the UUID of every record becomes a text. *)
let filter s list () =
  let wanted = bytes_of_handle s.target.handle in
  List.filter
    (fun (d : Xenctrl.domaininfo) -> String.equal (bytes_of_handle d.handle) wanted)
    (list ())

let find ?hint s =
  let uuid = Xenctrl_domains.Uuid.of_handle s.target.handle in
  fun () -> Xenctrl_domains.find_by_uuid ?hint s.ours uuid

let finds s =
  [
    way "find" "classic-1024-filter" (filter s (classic_1024 s));
    way "find" "interop-filter" (filter s (interop s));
    way "find" "list-filter" (filter s (this s));
    way "find" "this" (find s);
    way "find" "hint" (find s ~hint:s.target.domid);
    way "find" "floor" (floor s);
  ]

(* What a watcher wants: a number of each domain. *)
let sum list () =
  List.fold_left
    (fun sum (d : Xenctrl.domaininfo) -> sum + d.domid + Int64.to_int d.cpu_time)
    0 (list ())

module Snapshot = Xenctrl_domains.Snapshot

let sum_snapshot snapshot =
  Snapshot.fold
    (fun sum i ->
      sum + Snapshot.domid snapshot i + Int64.to_int (Snapshot.cpu_time snapshot i))
    0 snapshot

let snapshots s =
  (* One that is taken anew each time, as a watcher does; one for each thread. *)
  let retaking finish () =
    let snapshot = Snapshot.take s.ours in
    fun () ->
      Snapshot.retake s.ours snapshot;
      finish snapshot
  in
  [
    way "snapshot" "classic-1024-fold" (sum (classic_1024 s));
    way "snapshot" "interop-fold" (sum (interop s));
    way "snapshot" "list-fold" (sum (this s));
    way_of_thread "snapshot" "this" (retaking sum_snapshot);
    way "snapshot" "take" (fun () -> Snapshot.take s.ours);
    way_of_thread "snapshot" "retake" (retaking ignore);
    way "snapshot" "floor" (floor s);
  ]

(* The loops of docs/toolstack.md, each by the two lists and as it becomes. *)
let toolstack s =
  let module Before = Toolstack.Before in
  let module After = Toolstack.After in
  let uuid = Before.uuid_of_handle s.target.handle in
  let loop operation before after =
    let ways = [ ("classic-1024", before (classic_1024 s)); ("list", before (this s)); ("this", after) ] in
    List.map (fun (name, call) -> way operation name call) ways
  in
  let snapshot = lazy (Snapshot.take s.ours) in
  let watcher = lazy (After.Watcher.create s.ours) in
  loop "domains_of_uuid"
    (fun list () -> ignore (Before.domains_of_uuid ~list uuid))
    (fun () -> ignore (After.domains_of_uuid s.ours uuid))
  @ loop "watcher"
      (fun list ->
        let watcher = lazy (Before.Watcher.create ~list) in
        fun () -> ignore (Before.Watcher.look (Lazy.force watcher) ~list))
      (fun () -> ignore (After.Watcher.look (Lazy.force watcher) s.ours))
  @ loop "make_host"
      (fun list () -> ignore (Before.make_host ~list))
      (fun () -> ignore (After.make_host s.ours (Lazy.force snapshot)))
  @ loop "domain_snapshot"
      (fun list () -> ignore (Before.domain_snapshot ~list))
      (fun () -> ignore (After.domain_snapshot s.ours (Lazy.force snapshot)))

let all ~interop ~domains ~target ours =
  let s = sources ~interop ~domains ~target ours in
  lists s @ getinfos s @ finds s @ snapshots s @ toolstack s

let disagreements ~interop:file ~domains ~target ~simulated ours =
  let s = sources ~interop:file ~domains ~target ours in
  (* In this order: CPU time must not go back from one to the next. *)
  let answers = List.map (fun (name, f) -> (name, f ())) in
  let lists =
    answers
      ((* Chunks of 2 take a time that grows with the square. *)
       (if domains > 4001 then [] else [ ("classic-2", classic_2 s) ])
      @ [ ("classic-1024", classic_1024 s); ("interop", interop s); ("this", this s) ])
  in
  let domid = s.target.domid in
  let getinfos =
    answers
      [
        ("getinfo classic", fun () -> [ Baseline.getinfo s.classic domid ]);
        ("getinfo interop", fun () -> [ Interop.getinfo (Lazy.force s.interop) domid ]);
        ("getinfo this", fun () -> [ Xenctrl.domain_getinfo s.ours domid ]);
      ]
  in
  let finds =
    answers
      [
        ("find classic-1024-filter", filter s (classic_1024 s));
        ("find list-filter", filter s (this s));
        ("find this", find s);
        ("find hint", find s ~hint:domid);
      ]
  in
  let snapshots =
    answers
      [
        ("this", this s);
        ( "snapshot",
          fun () ->
            let snapshot = Snapshot.take s.ours in
            Snapshot.(fold_right (fun i list -> domaininfo snapshot i :: list) snapshot []) );
      ]
  in
  List.concat_map (Agreement.differences ~simulated) [ lists; getinfos; finds; snapshots ]
  @ (let length = List.length (List.assoc "this" lists) in
     if floor s () = length then []
     else [ Printf.sprintf "the bare hypercall does not say %d domains" length ])
