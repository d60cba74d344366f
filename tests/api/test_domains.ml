(* Xenctrl_domains: domains by UUID, snapshots, and what changed between two of them. *)

open Test_support
open Test_externals.Records
open World
module Uuid = Xenctrl_domains.Uuid
module Snapshot = Xenctrl_domains.Snapshot

let find = Xenctrl_domains.find_by_uuid
let native = Sys.backend_type = Sys.Native

let raises_invalid what f =
  match f () with
  | _ -> Alcotest.failf "%s: no exception" what
  | exception Invalid_argument _ -> ()

(* Words that [f] allocates in the minor heap, less those of measuring. *)
let words f =
  let measured f =
    let before = Gc.minor_words () in
    f ();
    Gc.minor_words () -. before
  in
  ignore (measured f);
  measured f -. measured (fun () -> ())

(* {1 UUIDs} *)

let test_uuid () =
  let text = "00112233-4455-6677-8899-aabbccddeeff" in
  let uuid = Uuid.of_string text in
  check_string "text" text (Uuid.to_string uuid);
  check_string "upper case" text (Uuid.to_string (Uuid.of_string (String.uppercase_ascii text)));
  check_string "bytes" "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
    (Uuid.to_bytes uuid);
  check_bool "of bytes" true (Uuid.equal uuid (Uuid.of_bytes (Uuid.to_bytes uuid)));
  check_bool "of handle" true
    (Uuid.equal uuid (Uuid.of_handle (Array.init 16 (fun i -> i * 0x11))));
  check_string "nil" "00000000-0000-0000-0000-000000000000" (Uuid.to_string Uuid.nil);
  check_bool "to handle" true (Uuid.to_handle uuid = Array.init 16 (fun i -> i * 0x11));
  check_bool "order" true (Uuid.compare Uuid.nil uuid < 0);
  check_bool "if it is one" true (Uuid.of_string_opt text = Some uuid);
  List.iter
    (fun text ->
      raises_invalid text (fun () -> Uuid.of_string text);
      check_bool text true (Uuid.of_string_opt text = None))
    [
      ""; text ^ " "; " " ^ text; text ^ "\000"; String.sub text 0 35; "0x" ^ String.sub text 2 34;
      "00112233445566778899aabbccddeeff"; "g" ^ String.sub text 1 35;
      "00112233_4455-6677-8899-aabbccddeeff"; String.make 100_000 '0';
    ];
  List.iter
    (fun bytes -> raises_invalid "bytes" (fun () -> Uuid.of_bytes bytes))
    [ ""; String.make 15 'x'; String.make 17 'x' ];
  List.iter
    (fun handle -> raises_invalid "handle" (fun () -> Uuid.of_handle handle))
    [ [||]; Array.make 15 0; Array.make 17 0; Array.make 16 256; Array.make 16 (-1) ]

module Uuid_table = Hashtbl.Make (Uuid)
module Uuid_map = Map.Make (Uuid)

let test_uuid_keys () =
  let table = Uuid_table.create 16 in
  let names = List.init 1000 uuid_of_domid in
  List.iteri (fun i name -> Uuid_table.replace table (Uuid.of_string name) i) names;
  let map =
    List.fold_left (fun map name -> Uuid_map.add (Uuid.of_string name) name map) Uuid_map.empty names
  in
  List.iteri
    (fun i name ->
      let uuid = Uuid.of_string (String.uppercase_ascii name) in
      check_int name i (Uuid_table.find table uuid);
      check_string name name (Uuid_map.find uuid map))
    names;
  check_bool "another" false (Uuid_table.mem table Uuid.nil || Uuid_map.mem Uuid.nil map);
  check_bool "spread" true ((Uuid_table.stats table).max_bucket_length < 20)

(* {1 By UUID} *)

let uuid_of (d : Xenctrl.domaininfo) = Uuid.of_handle d.handle
let check_domids = Alcotest.(check (list int))

let filtered h uuid =
  List.filter (fun d -> Uuid.equal (uuid_of d) uuid) (Xenctrl.domain_getinfolist h 0)

(* What the calls of [f] are: lists, single queries, all. *)
let hypercalls f =
  Counters.reset ();
  let result = f () in
  ( result,
    ( Counters.get "sysctl.getdomaininfolist",
      Counters.get "domctl.getdomaininfo",
      Counters.get "hypercalls" ) )

let calls = Alcotest.(check (triple int int int))

let test_find () =
  List.iter
    (fun guests ->
      with_guests guests (fun h ->
          let all = Xenctrl.domain_getinfolist h 0 in
          List.iteri
            (fun i d ->
              if i < 50 || i = guests then begin
                let uuid = uuid_of d in
                let found, made = hypercalls (fun () -> find h uuid) in
                calls "one list" (1, 0, 1) made;
                check_bool "as by filtering" true
                  (List.map still found = List.map still (filtered h uuid));
                check_bool "itself" true (List.mem d.domid (domids found))
              end)
            all;
          check_domids "none" [] (domids (find h (Uuid.of_bytes (String.make 16 '\xfe'))))))
    (List.filter (fun n -> n <= most_guests) [ 0; 1; 10; 1000; 1166; 1167 ])

let other = "deadbeef-dead-4ead-8ead-beef00000001"

(* During a migration to the same host two domains have a UUID; renaming moves it. *)
let test_several () =
  with_guests ~spread:Sparse 40 (fun h ->
      let uuid = Uuid.of_string other in
      let guests = List.filter (fun d -> d <> 0) (domids (Xenctrl.domain_getinfolist h 0)) in
      let pick = List.filteri (fun i _ -> i = 3 || i = 17 || i = 39) guests in
      check_domids "not yet" [] (domids (find h uuid));
      List.iteri
        (fun i domid ->
          Xenctrl.domain_sethandle h domid other;
          check_domids "so far" (List.filteri (fun j _ -> j <= i) pick) (domids (find h uuid)))
        pick;
      let s = Snapshot.take h in
      let in_snapshot uuid = List.map (Snapshot.domid s) (Snapshot.find_by_uuid s uuid) in
      check_domids "in a snapshot" pick (in_snapshot uuid);
      List.iter
        (fun near -> check_domids near [] (in_snapshot (Uuid.of_string near)))
        [ "deadbeef-dead-4ead-8ead-beef00000002"; "eeadbeef-dead-4ead-8ead-beef00000001" ];
      List.iter
        (fun d -> check_domids "as by filtering" (domids (filtered h (uuid_of d))) (in_snapshot (uuid_of d)))
        (Xenctrl.domain_getinfolist h 0);
      (* With a hint the one that is hinted at. *)
      List.iter
        (fun domid -> check_domids "hint" [ domid ] (domids (find ~hint:domid h uuid)))
        pick;
      List.iter (fun domid -> Xenctrl.domain_sethandle h domid (uuid_of_domid domid)) pick;
      check_domids "no longer" [] (domids (find h uuid));
      check_domids "but in the snapshot" pick (in_snapshot uuid);
      Snapshot.retake h s;
      check_domids "nor when that is taken anew" [] (in_snapshot uuid);
      check_domids "nor with an old hint" [] (domids (find ~hint:(List.hd pick) h uuid)))

let test_hint () =
  with_guests 20 (fun h ->
      let guests = List.filter (fun d -> d <> 0) (domids (Xenctrl.domain_getinfolist h 0)) in
      let domid = List.nth guests 7 and elsewhere = List.nth guests 3 in
      Xenctrl.domain_sethandle h domid other;
      let uuid = Uuid.of_string other in
      let found hint = hypercalls (fun () -> domids (find ~hint h uuid)) in
      let check what hint made =
        let domids, were = found hint in
        check_domids what [ domid ] domids;
        calls what made were
      in
      check "right" domid (0, 1, 1);
      check "another domain's" elsewhere (1, 1, 2);
      check "nobody's" 30_000 (1, 1, 2);
      check "a number that is reserved" 65_535 (1, 1, 2);
      List.iter
        (fun hint ->
          let (), made =
            hypercalls (fun () ->
                raises_invalid (string_of_int hint) (fun () -> find ~hint h uuid))
          in
          calls "no hypercall" (0, 0, 0) made)
        [ -1; 65_536; max_int; min_int ];
      (* The domain of the hint is destroyed and its UUID goes to another. *)
      Xenctrl.domain_sethandle h domid (uuid_of_domid domid);
      Xenctrl.domain_sethandle h elsewhere other;
      check_domids "moved" [ elsewhere ] (fst (found domid));
      Xenctrl.domain_sethandle h elsewhere (uuid_of_domid elsewhere))

(* Words do not depend on how many domains do not match. *)
let test_find_words () =
  with_guests (min 1000 most_guests) (fun h ->
      let none = Uuid.of_bytes (String.make 16 '\xfe') in
      check_int "nothing for nothing" 0
        (int_of_float (words (fun () -> ignore (find h none))));
      let one = uuid_of (Xenctrl.domain_getinfo h 0) in
      let others = List.length (find h one) in
      check_bool "one record for one" true
        (words (fun () -> ignore (find h one)) <= float (others * 53)))

(* {1 Snapshots} *)

let flag s i (raw : Oracle.raw) bit get = get s i = (raw.flags land bit <> 0)
let x86 (arch : Xenctrl.arch_domainconfig) =
  match arch with
  | X86 x86 -> x86
  | ARM _ -> Alcotest.fail "ARM"

let emulation_flags =
  Xenctrl.
    [
      X86_EMU_LAPIC; X86_EMU_HPET; X86_EMU_PM; X86_EMU_RTC; X86_EMU_IOAPIC; X86_EMU_PIC;
      X86_EMU_VGA; X86_EMU_IOMMU; X86_EMU_PIT; X86_EMU_USE_PIRQ; X86_EMU_VPCI;
    ]

(* That domain [i] is the one that a record describes. *)
let check_domain s i (d : Xenctrl.domaininfo) =
  let check what = check_bool (Printf.sprintf "domid %d: %s" d.domid what) true in
  check "domid" (Snapshot.domid s i = d.domid);
  check "dying" (Snapshot.dying s i = d.dying);
  check "shutdown" (Snapshot.shutdown s i = d.shutdown);
  check "paused" (Snapshot.paused s i = d.paused);
  check "hvm_guest" (Snapshot.hvm_guest s i = d.hvm_guest);
  check "shutdown_code" (Snapshot.shutdown_code s i = d.shutdown_code);
  check "total" (Snapshot.total_memory_pages s i = Nativeint.to_int d.total_memory_pages);
  check "max" (Snapshot.max_memory_pages s i = Nativeint.to_int d.max_memory_pages);
  check "shared_info_frame" (Snapshot.shared_info_frame s i = d.shared_info_frame);
  check "nr_online_vcpus" (Snapshot.nr_online_vcpus s i = d.nr_online_vcpus);
  check "max_vcpu_id" (Snapshot.max_vcpu_id s i = d.max_vcpu_id);
  check "ssidref" (Int32.of_int (Snapshot.ssidref s i) = d.ssidref);
  check "uuid" (Uuid.equal (Snapshot.uuid s i) (uuid_of d));
  check "has_uuid" (Snapshot.has_uuid s i (uuid_of d));
  check "has another" (not (Snapshot.has_uuid s i (Uuid.of_string other)));
  let arch = x86 d.arch_config in
  List.iter
    (fun flag ->
      check "emulates" (Snapshot.emulates s i flag = List.mem flag arch.emulation_flags))
    emulation_flags;
  check "misc" (Snapshot.has_misc_flag s i X86_MSR_RELAXED = (arch.misc_flags <> []));
  check "record" (still (Snapshot.domaininfo s i) = still d);
  check "index" (Snapshot.index s d.domid = i);
  check "index_opt" (Snapshot.index_opt s d.domid = Some i);
  check "by UUID" (List.mem i (Snapshot.find_by_uuid s (uuid_of d)));
  check "reason" (Snapshot.shutdown_reason s i = Xenctrl_domains.shutdown_reason d);
  check "nth" (Snapshot.nth s (i :> int) = i);
  check "mem" (Snapshot.mem s d.domid);
  if on_sim then begin
    check "blocked" (Snapshot.blocked s i = d.blocked);
    check "running" (Snapshot.running s i = d.running);
    check "cpu_time" (Snapshot.cpu_time s i = d.cpu_time)
  end

(* What the record leaves out is libxenctrl's answer. *)
let check_raw s i (o : Oracle.raw) =
  let check what = check_bool (Printf.sprintf "domid %d: %s" o.domid what) true in
  check "cpupool" (Snapshot.cpupool s i = o.cpupool);
  check "outstanding" (Snapshot.outstanding_pages s i = Int64.to_int o.outstanding_pages);
  check "shared" (Snapshot.shared_pages s i = Int64.to_int o.shr_pages);
  check "paged" (Snapshot.paged_pages s i = Int64.to_int o.paged_pages);
  check "gpaddr_bits" (Snapshot.gpaddr_bits s i = o.gpaddr_bits);
  check "debugged" (flag s i o 0x40 Snapshot.debugged);
  check "xs_domain" (flag s i o 0x80 Snapshot.xs_domain);
  check "hap" (flag s i o 0x100 Snapshot.hap)

let test_snapshot spec guests () =
  with_guests guests (fun _ ->
      configure (Printf.sprintf "domains=%d,clock=frozen%s" (guests + 1) spec);
      let h = Xenctrl.interface_open () in
      let s, made = hypercalls (fun () -> Snapshot.take h) in
      calls "one list" (1, 0, 1) made;
      let list = Xenctrl.domain_getinfolist h 0 in
      check_int "length" (guests + 1) (Snapshot.length s);
      List.iteri (fun n -> check_domain s (Snapshot.nth s n)) list;
      if oracle_lists then begin
        let oracle = Oracle.open_ () in
        Array.iteri (fun n -> check_raw s (Snapshot.nth s n)) (Oracle.list oracle ~first:0 ~max:32752);
        Oracle.close oracle
      end;
      check_domids "fold" (domids list)
        (List.rev (Snapshot.fold (fun ids i -> Snapshot.domid s i :: ids) [] s));
      check_domids "fold_right" (domids list)
        (Snapshot.fold_right (fun i ids -> Snapshot.domid s i :: ids) s []);
      let seen = ref [] in
      Snapshot.iter (fun i -> seen := (i :> int) :: !seen) s;
      check_domids "iter" (List.init (guests + 1) Fun.id) (List.rev !seen);
      let here = domids list in
      List.iter
        (fun domid ->
          if not (List.mem domid here) then begin
            check_bool "mem" false (Snapshot.mem s domid);
            check_bool "index_opt" true (Snapshot.index_opt s domid = None);
            match Snapshot.index s domid with
            | i -> Alcotest.failf "domid %d at %d" domid (i :> int)
            | exception Not_found -> ()
          end)
        [ -1; 1; 2; 5; 999; 32_751; 32_752; 65_535; 65_536; 131_072; max_int; min_int ])

let all_accessors =
  Snapshot.
    [
      ("domid", fun s i -> ignore (domid s i)); ("dying", fun s i -> ignore (dying s i));
      ("shutdown", fun s i -> ignore (shutdown s i)); ("paused", fun s i -> ignore (paused s i));
      ("blocked", fun s i -> ignore (blocked s i)); ("running", fun s i -> ignore (running s i));
      ("hvm_guest", fun s i -> ignore (hvm_guest s i));
      ("shutdown_code", fun s i -> ignore (shutdown_code s i));
      ("shutdown_reason", fun s i -> ignore (shutdown_reason s i));
      ("total_memory_pages", fun s i -> ignore (total_memory_pages s i));
      ("max_memory_pages", fun s i -> ignore (max_memory_pages s i));
      ("nr_online_vcpus", fun s i -> ignore (nr_online_vcpus s i));
      ("max_vcpu_id", fun s i -> ignore (max_vcpu_id s i));
      ("ssidref", fun s i -> ignore (ssidref s i));
      ("has_uuid", fun s i -> ignore (has_uuid s i Uuid.nil));
      ("emulates", fun s i -> ignore (emulates s i X86_EMU_VPCI));
      ("has_misc_flag", fun s i -> ignore (has_misc_flag s i X86_MSR_RELAXED));
      ("debugged", fun s i -> ignore (debugged s i));
      ("xs_domain", fun s i -> ignore (xs_domain s i)); ("hap", fun s i -> ignore (hap s i));
      ("cpupool", fun s i -> ignore (cpupool s i));
      ("outstanding_pages", fun s i -> ignore (outstanding_pages s i));
      ("shared_pages", fun s i -> ignore (shared_pages s i));
      ("paged_pages", fun s i -> ignore (paged_pages s i));
      ("gpaddr_bits", fun s i -> ignore (gpaddr_bits s i));
      (* Used at once, without a box. *)
      ("cpu_time", fun s i -> ignore (Int64.to_int (cpu_time s i)));
      ("shared_info_frame", fun s i -> ignore (Int64.to_int (shared_info_frame s i)));
    ]

let allocating_accessors =
  Snapshot.
    [
      ("uuid", fun s i -> ignore (uuid s i)); ("domaininfo", fun s i -> ignore (domaininfo s i));
    ]

let test_accessors_allocate_nothing () =
  with_guests 100 (fun h ->
      let s = Snapshot.take h in
      List.iter
        (fun (name, get) ->
          let read () =
            for i = 0 to Snapshot.length s - 1 do
              get s (Snapshot.nth s i)
            done
          in
          check_int name 0 (int_of_float (words read)))
        all_accessors;
      check_int "mem" 0 (int_of_float (words (fun () -> ignore (Snapshot.mem s 50))));
      let found uuid () = ignore (Snapshot.find_by_uuid s uuid) in
      check_int "find_by_uuid, none" 0 (int_of_float (words (found (Uuid.of_string other))));
      let last = Snapshot.(uuid s (nth s 100)) in
      check_int "find_by_uuid, one" 3 (int_of_float (words (found last))))

(* Numbers that no function gives are looked at all the same. *)
let any_index : int -> Snapshot.index = Obj.magic

let test_outside () =
  with_guests 10 (fun h ->
      let s = Snapshot.take h in
      let refused what s message =
        List.iter
          (fun (name, get) ->
            List.iter
              (fun i ->
                Alcotest.check_raises
                  (Printf.sprintf "%s: %s" what name)
                  (Invalid_argument ("Xenctrl_domains.Snapshot: " ^ message i))
                  (fun () -> get s (any_index i)))
              [ 11; -1; 12; 32_752; 100_000; max_int; min_int ])
          (("nth", fun s i -> ignore (Snapshot.nth s (i :> int)))
          :: (all_accessors @ allocating_accessors))
      in
      refused "outside" s
        (Printf.sprintf
           "number %d, where there are 11, from 0 on; Snapshot.index gives a domid's");
      Snapshot.free s;
      refused "freed" s (fun _ -> "it was freed");
      List.iter
        (fun (name, f) -> raises_invalid name f)
        ([
           ("free", fun () -> Snapshot.free s); ("retake", fun () -> Snapshot.retake h s);
           ("length", fun () -> ignore (Snapshot.length s));
           ("mem", fun () -> ignore (Snapshot.mem s 0));
           ("index", fun () -> ignore (Snapshot.index s 0));
           ("index_opt", fun () -> ignore (Snapshot.index_opt s 0));
           ("find_by_uuid", fun () -> ignore (Snapshot.find_by_uuid s Uuid.nil));
           ("iter", fun () -> Snapshot.iter ignore s);
           ("fold", fun () -> ignore (Snapshot.fold (fun n _ -> n + 1) 0 s));
           ("fold_right", fun () -> ignore (Snapshot.fold_right (fun _ n -> n + 1) s 0));
           ("before", fun () ->
             ignore (Xenctrl_domains.changes ~before:s ~after:(Snapshot.take h)));
           ("after", fun () ->
             ignore (Xenctrl_domains.changes ~before:(Snapshot.take h) ~after:s));
         ]
        @ List.map
            (fun (name, get) -> (name, fun () -> get s (any_index 0)))
            (all_accessors @ allocating_accessors)))

(* The number of one look is no domain's after another that is shorter. *)
let test_old_index () =
  configure "domains=20,domids=sparse";
  let h = Xenctrl.interface_open () in
  let s = Snapshot.take h in
  let domid = Snapshot.(domid s (nth s 19)) in
  let last = Snapshot.index s domid in
  check_int "its number" 19 (last :> int);
  check_bool "which is not its domid" true (domid > 19);
  Xenctrl.domain_destroy h domid;
  Snapshot.retake h s;
  raises_invalid "paused" (fun () -> Snapshot.paused s last)

(* Each reason as it was given; codes that are none of them; a code before the end. *)
let test_reasons () =
  with_guests ~spread:Sparse 20 (fun h ->
      let up (d : Xenctrl.domaininfo) = d.domid <> 0 && not d.shutdown in
      let guests = domids (List.filter up (Xenctrl.domain_getinfolist h 0)) in
      let reasons = Xenctrl.[ Poweroff; Reboot; Suspend; Crash; Watchdog; Soft_reset ] in
      let shut_down = List.filteri (fun n _ -> n < List.length reasons) guests in
      List.iter2 (Xenctrl.domain_shutdown h) shut_down reasons;
      let s = Snapshot.take h in
      let check domid reason =
        check_bool "in a record" true
          (Xenctrl_domains.shutdown_reason (Xenctrl.domain_getinfo h domid) = reason);
        check_bool "in a snapshot" true
          (Snapshot.shutdown_reason s (Snapshot.index s domid) = reason)
      in
      List.iter2 (fun domid reason -> check domid (Some reason)) shut_down reasons;
      check 0 None;
      let d = Xenctrl.domain_getinfo h (List.hd shut_down) in
      List.iter
        (fun shutdown_code ->
          check_bool "no reason" true
            (Xenctrl_domains.shutdown_reason { d with shutdown_code } = None))
        [ -1; 6; 255 ];
      check_bool "not yet" true
        (Xenctrl_domains.shutdown_reason { d with shutdown = false; shutdown_code = 1 } = None);
      List.iter (destroy h) shut_down)

(* In place: no mapping, and what fails leaves what was there. *)
let test_retake () =
  with_guests 300 (fun h ->
      let s = Snapshot.take h in
      let guest = Snapshot.(domid s (nth s 300)) in
      Xenctrl.domain_pause h guest;
      let (), made = hypercalls (fun () -> Snapshot.retake h s) in
      calls "one list" (1, 0, 1) made;
      check_int "mappings" 0 (Counters.get "mappings");
      check_bool "anew" true (Snapshot.paused s (Snapshot.index s guest));
      Xenctrl.domain_unpause h guest)

let test_failing_retake () =
  let spec = "domains=20,domids=dense" in
  configure spec;
  let h = Xenctrl.interface_open () in
  let s = Snapshot.take h in
  let last = Snapshot.index s 19 in
  let fails what spec =
    configure (spec ^ ",domids=dense");
    let h = Xenctrl.interface_open () in
    let message = error_of (fun () -> Snapshot.retake h s) in
    check_string (what ^ ", taking") message (error_of (fun () -> ignore (Snapshot.take h)));
    check_int what 20 (Snapshot.length s);
    check_int what 19 (Snapshot.domid s last);
    message
  in
  check_string "fault" "14: Bad address"
    (fails "fault" "domains=30,fault=sysctl.getdomaininfolist:EFAULT");
  check_string "disorder" "5: Input/output error: the hypervisor's list of domains is not in order"
    (fails "disorder" "domains=30,disorder=yes");
  check_prefix "5: Input/output error: the hypervisor reports" (fails "overrun" "domains=30,overrun=5");
  configure "domains=7,domids=dense";
  let h = Xenctrl.interface_open () in
  Snapshot.retake h s;
  check_int "shorter" 7 (Snapshot.length s);
  raises_invalid "beyond" (fun () -> Snapshot.domid s last);
  interface_close h;
  check_prefix "9: Bad file descriptor" (error_of (fun () -> Snapshot.retake h s));
  check_int "the handle is not needed" 7 (Snapshot.length s)

(* As many as there can be. *)
let test_longest () =
  let guests = min most_guests (if on_sim then 32_751 else 4000) in
  with_guests guests (fun h ->
      let s = Snapshot.take h in
      check_int "length" (guests + 1) (Snapshot.length s);
      let list = Xenctrl.domain_getinfolist h 0 in
      check_bool "all" true
        (List.for_all
           (fun (d : Xenctrl.domaininfo) -> Snapshot.domid s (Snapshot.index s d.domid) = d.domid)
           list);
      let last = Snapshot.nth s guests in
      check_domids "the last by its UUID"
        [ Snapshot.domid s last ]
        (domids (find h (Snapshot.uuid s last))))

(* A child reads what its parent took, and takes with its parent's handle or one of its own. *)
let test_snapshot_fork () =
  configure "domains=5,domids=dense";
  let h = Xenctrl.interface_open () in
  let s = Snapshot.take h in
  in_child (fun () ->
      assert (Snapshot.length s = 5 && Snapshot.(domid s (nth s 4)) = 4);
      Snapshot.retake h s;
      assert (Snapshot.length s = 5);
      assert (domids (find h Uuid.nil) = [ 0 ]);
      let own = Xenctrl.interface_open () in
      ignore (Xenctrl.domain_create own config);
      Snapshot.retake own s;
      assert (Snapshot.length s = 6);
      Gc.full_major ());
  check_int "the parent's is as it was" 5 (Snapshot.length s)

(* Readers, takers and one that frees: mixtures are allowed, crashes and rubbish are not. *)
let test_snapshot_threads () =
  configure "domains=500,domids=dense,grow=1";
  let h = Xenctrl.interface_open () in
  let s = ref (Snapshot.take h) in
  let stop = Atomic.make false and wrong = Atomic.make 0 and reads = Atomic.make 0 in
  let read () =
    while not (Atomic.get stop) do
      (try
         let s = !s in
         for i = 0 to Snapshot.length s - 1 do
           if Snapshot.(domid s (nth s i)) <> i then Atomic.incr wrong
         done;
         Atomic.incr reads
       with Invalid_argument _ -> ());
      Thread.yield ()
    done
  and take () =
    for _ = 1 to 200 do
      (try Snapshot.retake h !s with Invalid_argument _ -> ());
      Thread.yield ()
    done
  and free () =
    for _ = 1 to 50 do
      Snapshot.free !s;
      s := Snapshot.take h;
      Thread.yield ()
    done
  in
  let readers = List.init 3 (fun _ -> Thread.create read ()) in
  List.iter Thread.join (List.map (fun f -> Thread.create f ()) [ take; take; free ]);
  Atomic.set stop true;
  List.iter Thread.join readers;
  check_int "wrong" 0 (Atomic.get wrong);
  check_bool "read" true (Atomic.get reads > 0)

(* Dropped, freed and taken anew: none of it piles up. *)
let test_snapshots_are_collected () =
  with_guests (min 1000 most_guests) (fun h ->
      let round () =
        for i = 1 to 300 do
          let s = Snapshot.take h in
          if i mod 3 = 0 then Snapshot.free s else if i mod 3 = 1 then Snapshot.retake h s
        done;
        Gc.full_major ();
        Memory.resident_kib ()
      in
      ignore (round ());
      let before = round () in
      for _ = 1 to 5 do
        ignore (round ())
      done;
      let growth = round () - before in
      (* 1500 snapshots of 112 KiB each were dropped. *)
      if growth > 4096 then Alcotest.failf "grew by %d KiB" growth)

(* {1 Changes} *)

(* The same from lists, slowly. *)
let expected_changes before after =
  let info domid =
    List.find_opt (fun (d : Xenctrl.domaininfo) -> d.domid = domid)
  in
  let both holds =
    List.filter_map
      (fun (d : Xenctrl.domaininfo) ->
        match info d.domid before with
        | Some b when holds b d -> Some d.domid
        | Some _ | None -> None)
      after
  in
  Xenctrl_domains.
    {
      appeared = List.filter (fun d -> info d before = None) (domids after);
      gone = List.filter (fun d -> info d after = None) (domids before);
      shut_down =
        both (fun b a -> a.shutdown && not (b.shutdown && b.shutdown_code = a.shutdown_code));
      renamed = both (fun b a -> b.handle <> a.handle);
    }

let test_changes () =
  with_guests 60 (fun h ->
      let random = Random.State.make [| 7 |] in
      let before = Snapshot.take h in
      let unchanged = Xenctrl_domains.changes ~before ~after:before in
      check_bool "none" true
        (unchanged = { appeared = []; gone = []; shut_down = []; renamed = [] });
      (* Of its own, however many domains there are. *)
      check_bool "little is allocated" true
        (words (fun () -> ignore (Xenctrl_domains.changes ~before ~after:before)) <= 50.);
      let list = ref (Xenctrl.domain_getinfolist h 0) in
      for round = 1 to 30 do
        let guests = List.filter (fun d -> d <> 0) (domids !list) in
        let some n =
          List.filter (fun _ -> Random.State.int random (List.length guests + 1) < n) guests
        in
        List.iter (fun d -> Xenctrl.domain_shutdown h d Xenctrl.Poweroff) (some 4);
        List.iter
          (fun d -> Xenctrl.domain_sethandle h d (uuid_of_domid (1000 + (round * 100) + d)))
          (some 4);
        let doomed = some 3 in
        List.iter (Xenctrl.domain_destroy h) doomed;
        wait_until "the end of domains" (fun () ->
            let left = domids (Xenctrl.domain_getinfolist h 0) in
            not (List.exists (fun d -> List.mem d left) doomed));
        List.iter
          (fun d -> if not (on_sim) then Hashtbl.remove made d)
          doomed;
        for n = 1 to Random.State.int random 4 do
          let domid = create h (5000 + (round * 10) + n) in
          if not on_sim then Hashtbl.replace made domid ()
        done;
        let after = Snapshot.take h and now = Xenctrl.domain_getinfolist h 0 in
        let changes = Xenctrl_domains.changes ~before ~after in
        let expected = expected_changes !list now in
        check_domids "appeared" expected.appeared changes.appeared;
        check_domids "gone" expected.gone changes.gone;
        check_bool "whose UUIDs the earlier one has" true
          (List.map (fun d -> Snapshot.(uuid before (index before d))) expected.gone
          = List.filter_map
              (fun (d : Xenctrl.domaininfo) ->
                if List.mem d.domid expected.gone then Some (uuid_of d) else None)
              !list);
        check_domids "shut down" expected.shut_down changes.shut_down;
        check_domids "renamed" expected.renamed changes.renamed;
        Snapshot.retake h before;
        list := now;
        Snapshot.free after
      done)

(* {1 The examples of docs/toolstack.md} *)

let test_examples () =
  configure "domains=60,domids=sparse,shutdown=20,paused=20,clock=frozen";
  let h = Xenctrl.interface_open () in
  let s = Snapshot.take h in
  let list () = Xenctrl.domain_getinfolist h 0 in
  List.iter
    (fun (d : Xenctrl.domaininfo) ->
      let uuid = Toolstack.Before.uuid_of_handle d.handle in
      let before = Toolstack.Before.domains_of_uuid ~list uuid in
      check_bool "found" true (before <> []);
      check_bool uuid true (before = Toolstack.After.domains_of_uuid h uuid))
    (Xenctrl.domain_getinfolist h 0);
  check_bool "make_host" true (Toolstack.Before.make_host ~list = Toolstack.After.make_host h s);
  check_bool "domain_snapshot" true
    (Toolstack.Before.domain_snapshot ~list = Toolstack.After.domain_snapshot h s);
  let before = Toolstack.Before.Watcher.create ~list and after = Toolstack.After.Watcher.create h in
  let look expected =
    check_domids "as before" expected (Toolstack.Before.Watcher.look before ~list);
    check_domids "as now" expected (Toolstack.After.Watcher.look after h)
  in
  look [];
  let guests =
    List.filter
      (fun (d : Xenctrl.domaininfo) -> d.domid <> 0 && not d.shutdown)
      (Xenctrl.domain_getinfolist h 0)
  in
  let nth n = (List.nth guests n).domid in
  Xenctrl.domain_destroy h (nth 3);
  look [ nth 3 ];
  Xenctrl.domain_shutdown h (nth 9) Xenctrl.Crash;
  let created = create h 1234 in
  look (List.sort compare [ nth 9; created ]);
  look []

(* A hint whose query fails is a hint that was wrong. (What holds for every function that makes a
   hypercall is tested with Xenctrl's: externals.ml.) *)
let test_failing_hint () =
  configure "domains=5,domids=dense,fault=domctl.getdomaininfo:EPERM";
  let h = Xenctrl.interface_open () in
  check_domids "hint" [ 0 ] (domids (find ~hint:0 h Uuid.nil));
  check_lock_is_released
    [ ("domctl.getdomaininfo", fun h -> ignore (find ~hint:0 h Uuid.nil)) ]

let () =
  Alcotest.run ("Xenctrl_domains in " ^ (if on_sim then "xensim " else "Xen ") ^ release)
    [
      ( "uuid",
        [ test "text and bytes" test_uuid; test "keys of tables and maps" test_uuid_keys ] );
      ( "find",
        [
          test "as by filtering the list" test_find;
          test "several" test_several;
          test "hint" test_hint;
          test "words" test_find_words;
        ]
        @ sim_only [ test "failing hint" test_failing_hint ] );
      ( "snapshot",
        (if on_sim then
         [
           test "fields" (test_snapshot ",dying=5,novcpus=10,shutdown=20" 400);
           test "fields, sparse" (test_snapshot ",domids=sparse" 1000);
           test "dom0 alone" (test_snapshot "" 0);
         ]
        else [ test "fields" (test_snapshot "" 200) ])
        @ [
            test "outside and freed" test_outside;
            test "reasons" test_reasons;
            test "retake" test_retake;
            test "longest" test_longest;
            test "dropped ones are collected" test_snapshots_are_collected;
          ]
        @ (if native then [ test "accessors allocate nothing" test_accessors_allocate_nothing ]
          else [])
        @ sim_only
            [
              test "old number" test_old_index;
              test "failing" test_failing_retake;
              test "fork" test_snapshot_fork;
              test "threads" test_snapshot_threads;
            ] );
      ("changes", [ test "as by comparing lists" test_changes ]);
      ("examples", sim_only [ test "before and after" test_examples ]);
    ]
