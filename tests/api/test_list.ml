(* The domain list: whole, in parts, beside libxenctrl's, and from odd hypervisors. *)

open Test_support
open Test_externals.Records
open World

(* The loop of the modules whose chunks are 2, in its own way: recursive, the answer's length
   decides. *)
let rec loop_of_2 h from =
  match Xenctrl._domain_getinfolist h from 2 with
  | [ last; _ ] as chunk -> loop_of_2 h (last.domid + 1) @ chunk
  | chunk -> chunk

let loop_of_2 h = List.rev (loop_of_2 h 0)

(* The loop of the modules whose chunks are 1024: an empty answer ends it. *)
let loop_of_1024 h =
  let rec collect chunks from =
    match Xenctrl._domain_getinfolist h from 1024 with
    | [] -> List.fold_left (fun all chunk -> List.rev_append chunk all) [] chunks
    | last :: _ as chunk -> collect (chunk :: chunks) (last.Xenctrl.domid + 1)
  in
  collect [] 0

(* libxenctrl's list before and after ours: fields that only grow lie between. *)
let check_between_oracles h oracle =
  let ask () = Array.to_list (Array.map expected (Oracle.list oracle ~first:0 ~max:32752)) in
  let before = ask () in
  let ours = Xenctrl.domain_getinfolist h 0 in
  let after = ask () in
  check_records "libxenctrl" before ours;
  check_records "libxenctrl" ours after;
  let rec between before ours after =
    match (before, ours, after) with
    | [], [], [] -> ()
    | (b : Xenctrl.domaininfo) :: before, (o : Xenctrl.domaininfo) :: ours, (a : Xenctrl.domaininfo) :: after ->
      if not (b.cpu_time <= o.cpu_time && o.cpu_time <= a.cpu_time) then
        Alcotest.failf "cpu_time of domain %d" o.domid;
      (* A guest that did not run in between has not changed in any way. *)
      if b = a && b <> o then Alcotest.failf "the record of domain %d" o.domid;
      between before ours after
    | _ -> Alcotest.fail "lengths"
  in
  between before ours after

let check_against_oracle h =
  if oracle_lists then begin
    let oracle = Oracle.open_ () in
    check_between_oracles h oracle;
    Oracle.close oracle
  end

let rec strictly_ascending = function
  | a :: (b :: _ as rest) -> a < b && strictly_ascending rest
  | [ _ ] | [] -> true

let test_list spread guests () =
  with_guests ~spread guests (fun h ->
      let all = Xenctrl.domain_getinfolist h 0 in
      check_int "all" (guests + 1) (List.length all);
      check_bool "ascending" true (strictly_ascending (domids all));
      check_int "from dom0 on" 0 (List.hd all).domid;
      (* Handles that other tests dropped are closed now and not while something is counted. *)
      Gc.full_major ();
      (* The buffer has grown: from now on, each list is one hypercall and no mapping. *)
      let count name f =
        if Counters.source () = `None then ignore (f ())
        else begin
          let _, lists = counted "sysctl.getdomaininfolist" f in
          check_int (name ^ ": list hypercalls") 1 lists;
          check_int (name ^ ": hypercalls") 1 (Counters.get "hypercalls");
          check_int (name ^ ": mappings") 0 (Counters.get "mappings");
          check_int (name ^ ": unmappings") 0 (Counters.get "unmappings")
        end
      in
      count "list" (fun () -> Xenctrl.domain_getinfolist h 0);
      count "chunk" (fun () -> Xenctrl._domain_getinfolist h 0 1024);
      (* Both loops of upstream's modules get it whole. *)
      let by_2 = loop_of_2 h and by_1024 = loop_of_1024 h in
      check_records "loop of 2" all by_2;
      check_records "loop of 1024" all by_1024;
      if Counters.source () <> `None then begin
        let lists loop = snd (counted "sysctl.getdomaininfolist" (fun () -> loop h)) in
        (* An answer of two records is one that the loop cannot tell from a full chunk. *)
        check_int "loop of 2" (if guests = 1 then 2 else 1) (lists loop_of_2);
        check_int "loop of 1024" 2 (lists loop_of_1024)
      end;
      check_against_oracle h;
      (* Parts of it. *)
      let ids = Array.of_list (domids all) in
      let middle = ids.(Array.length ids / 2) in
      let from first = List.filter (fun id -> id >= first) (Array.to_list ids) in
      let same = Alcotest.(check (list int)) in
      List.iter
        (fun first ->
          same "from a domid on" (from first) (domids (Xenctrl.domain_getinfolist h first));
          same "backwards" (List.rev (from first)) (domids (Xenctrl._domain_getinfolist h first 7)))
        [ middle; middle + 1; 0x7FEF; 0x7FF0; 65535 ];
      same "one" [ middle ] (domids (Xenctrl._domain_getinfolist h middle 1));
      same "none" [] (domids (Xenctrl._domain_getinfolist h middle 0));
      let one = Xenctrl.domain_getinfo h middle in
      check_records "alone" [ List.find (fun d -> d.Xenctrl.domid = middle) all ] [ one ])

let list_tests =
  List.concat_map
    (fun guests ->
      if guests > most_guests then []
      else
        List.map
          (fun (name, spread) ->
            test (Printf.sprintf "%d guests, %s domids" guests name) (test_list spread guests))
          [ ("dense", Dense); ("sparse", Sparse) ])
    [ 0; 1; 2; 3; 36; 37; 1023; 1024; 1025; 4000 ]

(* A group of its own, for it takes minutes in a real Xen. *)
let every_domid =
  let guests = 32751 in
  if guests > most_guests then []
  else [ test (Printf.sprintf "%d guests" guests) (test_list Dense guests) ]

(* Guests of a real Xen that nothing runs in are all alike; these are not. *)
let test_varied_guests () =
  configure "domains=1";
  let h = Xenctrl.interface_open () in
  if not on_sim then populate h [];
  let hap = List.mem Xenctrl.CAP_HAP (Xenctrl.physinfo h).capabilities in
  let hvm emulation_flags =
    { config with flags = [ CDF_HVM; CDF_HAP ]; arch = X86 { emulation_flags; misc_flags = [] } }
  in
  let configs =
    [ config; { config with handle = uuid_of_domid 77; max_vcpus = 4 } ]
    @
    if hap then
      [
        hvm [ X86_EMU_LAPIC ];
        hvm all_emulation_flags;
        hvm (List.filter (( <> ) Xenctrl.X86_EMU_VPCI) all_emulation_flags);
      ]
    else []
  in
  (* No release grants VPCI to an HVM guest. *)
  let create config =
    try Some (Xenctrl.domain_create h config)
    with Xenctrl.Error "95: Operation not supported" -> None
  in
  let created = List.filter_map create configs in
  check_bool "some" true (List.length created >= 2);
  List.iteri
    (fun i domid ->
      if i mod 2 = 0 then Xenctrl.domain_setmaxmem h domid (Int64.of_int (4096 * (i + 1)));
      if i = 1 then Xenctrl.domain_max_vcpus h domid 4;
      if i = 2 then Xenctrl.domain_shutdown h domid Xenctrl.Crash)
    created;
  check_against_oracle h;
  let all = Xenctrl.domain_getinfolist h 0 in
  List.iter
    (fun domid ->
      let listed = List.find (fun d -> d.Xenctrl.domid = domid) all in
      check_records "list and getinfo" [ listed ] [ Xenctrl.domain_getinfo h domid ])
    created;
  List.iter (Xenctrl.domain_destroy h) created

let test_silent_skips () =
  configure "domains=10,domids=dense,hide=3+4+9";
  let h = Xenctrl.interface_open () in
  Alcotest.(check (list int)) "what XSM shows" [ 0; 1; 2; 5; 6; 7; 8 ]
    (domids (Xenctrl.domain_getinfolist h 0))

(* Domains appear between the hypercalls that grow the buffer. *)
let test_growing_count () =
  configure "domains=2000,domids=dense,grow=300";
  let h = Xenctrl.interface_open () in
  let all = domids (Xenctrl.domain_getinfolist h 0) in
  check_bool "one answer" true (strictly_ascending all);
  check_int "whole" (List.length all) (1 + List.fold_left max 0 all);
  configure "domains=2000,domids=dense,grow=32752";
  let h = Xenctrl.interface_open () in
  check_int "to the limit" 32752 (List.length (Xenctrl.domain_getinfolist h 0))

(* A larger buffer is twice as large: few calls until the list fits. *)
let test_growth () =
  let first domains =
    configure (Printf.sprintf "domains=%d" domains);
    let h = Xenctrl.interface_open () in
    snd (counted "sysctl.getdomaininfolist" (fun () -> Xenctrl.domain_getinfolist h 0))
  in
  Gc.full_major ();
  let before = Counters.get "mapped_bytes" in
  check_int "a small host" 1 (first 200);
  check_bool "a full one" true (first 32752 <= 8);
  (* Nothing is left of those that were too small. *)
  Gc.full_major ();
  check_int "bytes mapped" before (Counters.get "mapped_bytes")

let test_overrun () =
  configure "domains=10,overrun=1";
  let h = Xenctrl.interface_open () in
  let message = error_of (fun () -> ignore (Xenctrl._domain_getinfolist h 0 1)) in
  check_string "told" "5: Input/output error: the hypervisor reports 2 domains where 1 were asked for"
    message

let tests =
  list_tests
  @ [ test "varied guests" test_varied_guests ]
  @ sim_only
      [
        test "silent skips" test_silent_skips;
        test "growing count" test_growing_count;
        test "growing buffer" test_growth;
        test "overrun" test_overrun;
      ]
