(* The externals beside the domain list: vCPUs, memory, permissions, scheduler, event channels,
   console, devices. As test_xenctrl, on whatever hypervisor is there. *)

open Test_support
open World
open Externals

let einval = "22: Invalid argument"

let has_hap h = List.mem Xenctrl.CAP_HAP (Xenctrl.physinfo h).capabilities

(* With its vCPUs, unless told otherwise. *)
let with_domain ?spec ?(config = config) ?(vcpus = true) f =
  with_domain ?spec ~config (fun h domid ->
      if vcpus then Xenctrl.domain_max_vcpus h domid config.max_vcpus;
      f h domid)

(* A PVH guest. Every host that these tests run on can have one. *)
let with_hvm f =
  configure "";
  if has_hap (Xenctrl.interface_open ()) then with_domain ~config:hvm_config f
  else Alcotest.fail "the host has no HAP"

let missing = 30000

(* {1 vCPUs} *)

let no_vcpu = if minor >= 22 then "2: No such file or directory" else esrch

let test_vcpuinfo () =
  with_domain ~config:{ config with max_vcpus = 2 } ~vcpus:false (fun h domid ->
      let info vcpu = Xenctrl.domain_get_vcpuinfo h domid vcpu in
      check_bool "not made yet" true
        (List.mem (error_of (fun () -> ignore (info 0))) [ esrch; no_vcpu ]);
      Xenctrl.domain_max_vcpus h domid 2;
      List.iter
        (fun vcpu ->
          let i = info vcpu in
          check_bool "not online, blocked or running" false (i.online || i.blocked || i.running);
          check_bool "no time" true (i.cputime = 0L);
          check_bool "a pCPU" true (i.cpumap >= 0l))
        [ 0; 1 ];
      let beyond = error_of (fun () -> ignore (info 2)) in
      check_bool ("beyond: " ^ beyond) true (List.mem beyond [ einval; no_vcpu ]);
      check_string "no domain" esrch
        (error_of (fun () -> ignore (Xenctrl.domain_get_vcpuinfo h missing 0)));
      (* dom0's runs just now. *)
      let own = Xenctrl.domain_get_vcpuinfo h 0 0 in
      check_bool "online" true own.online;
      check_bool "time" true (own.cputime > 0L);
      List.iter
        (fun bad -> refused "vCPU" (fun () -> Xenctrl.domain_get_vcpuinfo h domid bad))
        [ -1; 1 lsl 32; max_int ])

let test_affinity () =
  with_domain (fun h domid ->
      let cpus = (Xenctrl.physinfo h).max_nr_cpus in
      let get () = Xenctrl.vcpu_affinity_get h domid 0 in
      check_int "one for each pCPU" cpus (Array.length (get ()));
      let only_0 = Array.init cpus (fun i -> i = 0) in
      Xenctrl.vcpu_affinity_set h domid 0 only_0;
      Alcotest.(check (array bool)) "as set" only_0 (get ());
      (* What is not named is not allowed. *)
      Xenctrl.vcpu_affinity_set h domid 0 [| true |];
      Alcotest.(check (array bool)) "a short one" only_0 (get ());
      check_string "none" einval (error_of (fun () -> Xenctrl.vcpu_affinity_set h domid 0 [||]));
      check_string "none" einval
        (error_of (fun () -> Xenctrl.vcpu_affinity_set h domid 0 (Array.make cpus false)));
      Alcotest.(check (array bool)) "still" only_0 (get ());
      (match Xenctrl.vcpu_affinity_set h domid 0 (Array.make (cpus + 1) true) with
      | () -> Alcotest.fail "a pCPU too many"
      | exception Invalid_argument _ -> ());
      check_string "no vCPU" einval (error_of (fun () -> ignore (Xenctrl.vcpu_affinity_get h domid 7)));
      check_string "no vCPU" einval
        (error_of (fun () -> Xenctrl.vcpu_affinity_set h domid 7 only_0));
      check_string "no domain" esrch
        (error_of (fun () -> ignore (Xenctrl.vcpu_affinity_get h missing 0))))

let test_context () =
  with_domain (fun h domid ->
      check_string "never given registers" "61: No data available"
        (error_of (fun () -> ignore (Xenctrl.vcpu_context_get h domid 0)));
      check_string "no vCPU" einval (error_of (fun () -> ignore (Xenctrl.vcpu_context_get h domid 7)));
      check_string "one's own" einval (error_of (fun () -> ignore (Xenctrl.vcpu_context_get h 0 0))))

(* {1 Scheduler} *)

let credit = 5
let credit2 = 6

let test_scheduler () =
  with_domain (fun h domid ->
      let id = Xenctrl.sched_id h in
      check_bool "credit or credit2" true (List.mem id [ credit; credit2 ]);
      if id = credit then begin
        Xenctrl.sched_credit_domain_set h domid { weight = 512; cap = 50 };
        let got = Xenctrl.sched_credit_domain_get h domid in
        check_int "weight" 512 got.weight;
        check_int "cap" 50 got.cap
      end
      else begin
        check_string "another scheduler" einval
          (error_of (fun () -> ignore (Xenctrl.sched_credit_domain_get h domid)));
        check_string "another scheduler" einval
          (error_of (fun () -> Xenctrl.sched_credit_domain_set h domid { weight = 256; cap = 0 }))
      end;
      List.iter
        (fun bad ->
          refused "weight" (fun () ->
              Xenctrl.sched_credit_domain_set h domid { weight = bad; cap = 0 });
          refused "cap" (fun () ->
              Xenctrl.sched_credit_domain_set h domid { weight = 256; cap = bad }))
        [ -1; 65536; max_int ])

let test_credit () =
  with_domain ~spec:"domains=3,scheduler=credit" (fun h domid ->
      check_int "credit" credit (Xenctrl.sched_id h);
      Xenctrl.sched_credit_domain_set h domid { weight = 512; cap = 50 };
      let got = Xenctrl.sched_credit_domain_get h domid in
      check_int "weight" 512 got.weight;
      check_int "cap" 50 got.cap)

(* {1 Memory} *)

let test_shadow_allocation () =
  with_hvm (fun h domid ->
      Xenctrl.shadow_allocation_set h domid 8;
      check_int "as set" 8 (Xenctrl.shadow_allocation_get h domid);
      Xenctrl.shadow_allocation_set h domid 4;
      check_int "less" 4 (Xenctrl.shadow_allocation_get h domid);
      check_string "no domain" esrch
        (error_of (fun () -> ignore (Xenctrl.shadow_allocation_get h missing)));
      List.iter
        (fun bad -> refused "MiB" (fun () -> Xenctrl.shadow_allocation_set h domid bad))
        [ -1; 1 lsl 32; max_int ])

let test_reservation () =
  with_domain (fun h domid ->
      let pages () = (Xenctrl.domain_getinfo h domid).total_memory_pages in
      Xenctrl.domain_setmaxmem h domid 4096L;
      Xenctrl.domain_memory_increase_reservation h domid 1024L;
      check_bool "1 MiB" true (pages () = 256n);
      (* Rounded down. *)
      Xenctrl.domain_memory_increase_reservation h domid 7L;
      check_bool "a page" true (pages () = 257n);
      Xenctrl.domain_memory_increase_reservation h domid 3L;
      check_bool "none" true (pages () = 257n);
      check_bool "beyond its limit" true
        (has_prefix "12: Cannot allocate memory"
           (error_of (fun () -> Xenctrl.domain_memory_increase_reservation h domid 8192L)));
      check_bool "up to it" true (pages () <= 1024n);
      List.iter
        (fun bad ->
          refused "KiB" (fun () -> Xenctrl.domain_memory_increase_reservation h domid bad);
          refused "KiB" (fun () -> Xenctrl.domain_set_memmap_limit h domid bad))
        [ -1L; Int64.min_int ];
      Xenctrl.domain_set_memmap_limit h domid 65536L;
      check_string "no domain" esrch
        (error_of (fun () -> Xenctrl.domain_set_memmap_limit h missing 65536L)))

(* The shared info page of a PV domain, whose frame the list tells. *)
let with_shared_page f =
  with_domain (fun h domid ->
      let frame = Int64.to_nativeint (Xenctrl.domain_getinfo h domid).shared_info_frame in
      f h domid frame)

let test_map () =
  with_shared_page (fun h domid frame ->
      let page = Xenmmap.getpagesize () in
      let m = Xenctrl.map_foreign_range h domid page frame in
      let again = Xenctrl.map_foreign_range h domid page frame in
      let text = "written by " ^ string_of_int domid in
      (* Past what the hypervisor itself writes there. *)
      Xenmmap.write m text 3500;
      check_string "one page" text (Xenmmap.read again 3500 (String.length text));
      Xenmmap.unmap m;
      Gc.full_major ();
      check_string "the other stays" text (Xenmmap.read again 3500 (String.length text));
      Xenmmap.unmap again;
      let fails what f =
        match f () with
        | _ -> Alcotest.failf "%s: mapped" what
        | exception Failure message -> check_prefix "xc_map_foreign_range error" message
      in
      fails "no domain" (fun () -> Xenctrl.map_foreign_range h missing page frame);
      List.iter
        (fun bad -> refused "size" (fun () -> Xenctrl.map_foreign_range h domid bad frame))
        [ -1; 0; 1 lsl 31; max_int ];
      refused "frame" (fun () -> Xenctrl.map_foreign_range h domid page (-1n));
      (* A mapping is good without the handle. *)
      let m = Xenctrl.map_foreign_range (Xenctrl.interface_open ()) domid page frame in
      Gc.full_major ();
      check_string "still" text (Xenmmap.read m 3500 (String.length text));
      Xenmmap.unmap m)

(* A destroyed domain is dying as long as somebody has its memory. *)
let test_dying () =
  with_shared_page (fun h domid frame ->
      let m = Xenctrl.map_foreign_range h domid (Xenmmap.getpagesize ()) frame in
      let state () =
        match List.find_opt (fun d -> d.Xenctrl.domid = domid) (Xenctrl.domain_getinfolist h 0) with
        | Some d -> if d.dying then `Dying else `Alive
        | None -> `Gone
      in
      check_bool "alive" true (state () = `Alive);
      Xenctrl.domain_destroy h domid;
      check_bool "dying" true (state () = `Dying);
      check_bool "getinfo as well" true (Xenctrl.domain_getinfo h domid).dying;
      Xenmmap.unmap m;
      wait_until "the end of the domain" (fun () -> state () = `Gone))

(* {1 Resuming} *)

let test_resume () =
  with_hvm (fun h domid ->
      Xenctrl.domain_shutdown h domid Xenctrl.Suspend;
      check_bool "shut down" true (Xenctrl.domain_getinfo h domid).shutdown;
      Xenctrl.domain_resume_fast h domid;
      let d = Xenctrl.domain_getinfo h domid in
      check_bool "resumed" false d.shutdown;
      check_string "no domain" esrch (error_of (fun () -> Xenctrl.domain_resume_fast h missing)))

(* {1 Permissions} *)

let test_permissions () =
  with_domain (fun h domid ->
      List.iter
        (fun allow ->
          Xenctrl.domain_ioport_permission h domid 0x300 8 allow;
          Xenctrl.domain_iomem_permission h domid 0xa0n 16n allow)
        [ true; false ];
      check_string "no ports" einval
        (error_of (fun () -> Xenctrl.domain_ioport_permission h domid 0x300 0 true));
      check_string "past the last" einval
        (error_of (fun () -> Xenctrl.domain_ioport_permission h domid 0xfff8 9 true));
      check_string "no frames" einval
        (error_of (fun () -> Xenctrl.domain_iomem_permission h domid 0xa0n 0n true));
      check_string "no such interrupt" einval
        (error_of (fun () -> Xenctrl.domain_irq_permission h domid 100_000 true));
      List.iter
        (fun (what, f) -> check_string what esrch (error_of f))
        [
          ("ioport", fun () -> Xenctrl.domain_ioport_permission h missing 0x300 8 true);
          ("iomem", fun () -> Xenctrl.domain_iomem_permission h missing 0xa0n 16n true);
          ("irq", fun () -> Xenctrl.domain_irq_permission h missing 4 true);
        ];
      List.iter
        (fun bad ->
          refused "port" (fun () -> Xenctrl.domain_ioport_permission h domid bad 1 true);
          refused "ports" (fun () -> Xenctrl.domain_ioport_permission h domid 0 bad true))
        [ -1; 65537; max_int; min_int ];
      List.iter
        (fun bad -> refused "irq" (fun () -> Xenctrl.domain_irq_permission h domid bad true))
        [ -1; 1 lsl 32; max_int ];
      refused "frame" (fun () -> Xenctrl.domain_iomem_permission h domid (-1n) 1n true);
      refused "frames" (fun () -> Xenctrl.domain_iomem_permission h domid 0n (-1n) true))

(* {1 Event channels} *)

let test_event_channels () =
  with_domain (fun h domid ->
      let port = Xenctrl.evtchn_alloc_unbound h domid 0 in
      check_bool "a port" true (port > 0);
      let another = Xenctrl.evtchn_alloc_unbound h domid 0 in
      check_bool "another" true (another > 0 && another <> port);
      let status port = Xenctrl.evtchn_status h domid port in
      check_bool "unbound" true
        (status port = Some { vcpu = 0; status = EVTCHNSTAT_unbound 0 });
      Xenctrl.evtchn_reset h domid;
      check_bool "closed" true (status port = None);
      check_string "a port that never was" einval
        (error_of (fun () -> ignore (status 100_000_000)));
      check_string "no domain" esrch
        (error_of (fun () -> ignore (Xenctrl.evtchn_alloc_unbound h missing 0)));
      check_string "no domain" esrch
        (error_of (fun () -> Xenctrl.evtchn_reset h missing));
      check_string "no domain" esrch
        (error_of (fun () -> ignore (Xenctrl.evtchn_status h missing 1)));
      List.iter (fun bad -> refused "port" (fun () -> status bad)) [ -1; 1 lsl 32; max_int ];
      List.iter
        (fun bad -> refused "remote domid" (fun () -> Xenctrl.evtchn_alloc_unbound h domid bad))
        [ -1; 65536; max_int ])

(* {1 HVM parameters} *)

let test_hvm_params () =
  with_hvm (fun h domid ->
      Xenctrl.hvm_param_set h domid HVM_PARAM_STORE_PFN 0xfeffcL;
      Xenctrl.hvm_param_set h domid HVM_PARAM_CONSOLE_EVTCHN 2L;
      let get = Xenctrl.hvm_param_get h domid in
      Alcotest.(check int64) "one" 0xfeffcL (get HVM_PARAM_STORE_PFN);
      Alcotest.(check int64) "another" 2L (get HVM_PARAM_CONSOLE_EVTCHN);
      Alcotest.(check int64) "not set" 0L (get HVM_PARAM_STORE_EVTCHN);
      check_string "no domain" esrch
        (error_of (fun () -> ignore (Xenctrl.hvm_param_get h missing HVM_PARAM_STORE_PFN))));
  with_domain (fun h domid ->
      check_string "a PV domain" einval
        (error_of (fun () -> ignore (Xenctrl.hvm_param_get h domid HVM_PARAM_STORE_PFN)));
      check_string "a PV domain" einval
        (error_of (fun () -> Xenctrl.hvm_param_set h domid HVM_PARAM_STORE_PFN 1L)))

(* {1 The host} *)

let contains needle s =
  let n = String.length needle in
  let rec at i = i + n <= String.length s && (String.sub s i n = needle || at (i + 1)) in
  at 0

let test_console () =
  configure "domains=3";
  let h = Xenctrl.interface_open () in
  let before = Xenctrl.readconsolering h in
  Xenctrl.send_debug_keys h "h";
  let after = Xenctrl.readconsolering h in
  check_bool "the key's answer" true (contains "'h' pressed" after);
  check_bool "the ring has more" true (String.length after > 0 && after <> before);
  (* Reading takes nothing out. *)
  check_bool "again" true (has_prefix (String.sub after 0 (min 200 (String.length after)))
                             (Xenctrl.readconsolering h));
  Xenctrl.send_debug_keys h "";
  refused "a zero byte" (fun () -> Xenctrl.send_debug_keys h "h\000h")

let test_pcpus () =
  configure "domains=3,cpus=40";
  let h = Xenctrl.interface_open () in
  let cpus = (Xenctrl.physinfo h).nr_cpus in
  let info = Xenctrl.pcpu_info h cpus in
  check_int "one for each" cpus (Array.length info);
  check_bool "idle time" true (Array.for_all (fun idle -> idle >= 0L) info);
  check_int "no more than there are" cpus (Array.length (Xenctrl.pcpu_info h (cpus + 100)));
  check_int "no more than asked for" 1 (Array.length (Xenctrl.pcpu_info h 1));
  List.iter (fun bad -> refused "pCPUs" (fun () -> Xenctrl.pcpu_info h bad)) [ 0; -1; min_int ]

(* Results that do not fit into one small allocation say what small ones say. *)
let test_large_results () =
  configure "domains=3,cpus=4000,clock=frozen,console_fill=1000000";
  let h = Xenctrl.interface_open () in
  let all = Xenctrl.pcpu_info h 4000 in
  check_int "pCPUs" 4000 (Array.length all);
  Alcotest.(check (array int64)) "the first" (Xenctrl.pcpu_info h 60) (Array.sub all 0 60);
  Alcotest.(check (array int64)) "all, again" all (Xenctrl.pcpu_info h 4000);
  let allowed = Array.init 4000 (fun i -> i mod 3 = 0) in
  Xenctrl.vcpu_affinity_set h 1 0 allowed;
  Alcotest.(check (array bool)) "affinity" allowed (Xenctrl.vcpu_affinity_get h 1 0);
  let console = Xenctrl.readconsolering h in
  check_bool "console" true (String.length console > 1_000_000);
  check_bool "again" true (console = Xenctrl.readconsolering h)

let test_featuresets () =
  configure "domains=3";
  let h = Xenctrl.interface_open () in
  let get = Xenctrl.get_cpu_featureset h in
  let raw = get Featureset_raw in
  check_bool "words" true (Array.length raw > 8);
  check_bool "of 32 bits" true
    (Array.for_all (fun word -> Int64.shift_right_logical word 32 = 0L) raw);
  List.iter
    (fun index ->
      match get index with
      | words ->
        check_int "as many words" (Array.length raw) (Array.length words);
        check_bool "some" true (Array.exists (fun word -> word <> 0L) words)
      (* Of kinds of guests that the host cannot have. *)
      | exception Xenctrl.Error message -> check_string "none" "95: Operation not supported" message)
    [ Featureset_host; Featureset_pv; Featureset_hvm; Featureset_pv_max; Featureset_hvm_max ]

let test_watchdog () =
  configure "domains=3";
  let h = Xenctrl.interface_open () in
  let id = Xenctrl.watchdog h 0 300l in
  check_bool "a timer" true (id > 0);
  check_int "set again" 0 (Xenctrl.watchdog h id 600l);
  check_int "disarmed" 0 (Xenctrl.watchdog h id 0l);
  check_string "no such timer" einval (error_of (fun () -> ignore (Xenctrl.watchdog h 1000 10l)));
  List.iter (fun bad -> refused "timer" (fun () -> Xenctrl.watchdog h bad 10l)) [ -1; 1 lsl 32 ];
  refused "seconds" (fun () -> Xenctrl.watchdog h 0 (-1l))

let test_devices () =
  with_domain (fun h domid ->
      let device = (0, 3, 0, 0) in
      check_bool "not there or not to give" false
        (Xenctrl.domain_test_assign_device h domid (0xffff, 0xff, 31, 7));
      ignore (error_of (fun () -> Xenctrl.domain_assign_device h domid (0xffff, 0xff, 31, 7)));
      ignore (error_of (fun () -> Xenctrl.domain_deassign_device h domid (0xffff, 0xff, 31, 7)));
      check_string "no domain" esrch
        (error_of (fun () -> Xenctrl.domain_assign_device h missing device));
      List.iter
        (fun bad ->
          refused "assign" (fun () -> Xenctrl.domain_assign_device h domid bad);
          refused "deassign" (fun () -> Xenctrl.domain_deassign_device h domid bad);
          refused "test" (fun () -> Xenctrl.domain_test_assign_device h domid bad))
        [
          (-1, 0, 0, 0); (65536, 0, 0, 0); (0, -1, 0, 0); (0, 256, 0, 0); (0, 0, -1, 0);
          (0, 0, 32, 0); (0, 0, 0, -1); (0, 0, 0, 8);
        ])

let test_assign () =
  with_domain ~spec:"domains=3,pci=0000:03:00.0"
    ~config:{ hvm_config with flags = [ CDF_HVM; CDF_HAP; CDF_IOMMU ] }
    (fun h domid ->
      let device = (0, 3, 0, 0) in
      check_bool "to be had" true (Xenctrl.domain_test_assign_device h domid device);
      Xenctrl.domain_assign_device h domid device;
      check_bool "taken" false (Xenctrl.domain_test_assign_device h domid device);
      Xenctrl.domain_deassign_device h domid device;
      check_bool "to be had again" true (Xenctrl.domain_test_assign_device h domid device))

(* {1 libxenctrl's answers}

   Where the build machine's libxenctrl speaks the running release's interface each question is put
   to both: numbers are equal, and so are error numbers. *)

(* Ours, or the errno in the message. *)
let ours f =
  match f () with
  | numbers -> Ok numbers
  | exception Xenctrl.Error message -> Result.Error (Scanf.sscanf message "%d:" Fun.id)

let theirs oracle question domid n =
  match Oracle.ask oracle question domid n with
  | numbers -> Ok (Array.to_list (Array.map Int64.to_int numbers))
  | exception Oracle.Error (errno, _) -> Result.Error errno

let of_bool b = if b then 1 else 0

let test_oracle () =
  let hap = (configure ""; has_hap (Xenctrl.interface_open ())) in
  with_domain ~spec:"domains=3,clock=frozen" ~config:{ config with max_vcpus = 2 } (fun h pv ->
      let hvm =
        if hap then begin
          let domid = Xenctrl.domain_create h hvm_config in
          Xenctrl.domain_max_vcpus h domid 1;
          Xenctrl.hvm_param_set h domid HVM_PARAM_STORE_PFN 0xfeffcL;
          Xenctrl.shadow_allocation_set h domid 6;
          [ domid ]
        end
        else []
      in
      Xenctrl.vcpu_affinity_set h pv 1 [| true |];
      let port = Xenctrl.evtchn_alloc_unbound h pv 0 in
      let oracle = Oracle.open_ () in
      let same what question domid n f =
        let show = function
          | Ok numbers -> String.concat " " (List.map string_of_int numbers)
          | Result.Error errno -> Printf.sprintf "errno %d" errno
        in
        check_string
          (Printf.sprintf "%s of domain %d, %d" what domid n)
          (show (theirs oracle question domid n))
          (show (ours f))
      in
      let domains = (pv :: hvm) @ [ missing ] in
      List.iter
        (fun domid ->
          List.iter
            (fun vcpu ->
              same "vcpuinfo" "vcpu_getinfo" domid vcpu (fun () ->
                  let i = Xenctrl.domain_get_vcpuinfo h domid vcpu in
                  [
                    of_bool i.online; of_bool i.blocked; of_bool i.running;
                    Int64.to_int i.cputime; Int32.to_int i.cpumap;
                  ]);
              same "affinity" "vcpu_getaffinity" domid vcpu (fun () ->
                  Array.to_list (Array.map of_bool (Xenctrl.vcpu_affinity_get h domid vcpu))))
            [ 0; 1; 2 ];
          same "shadow allocation" "shadow_allocation" domid 0 (fun () ->
              [ Xenctrl.shadow_allocation_get h domid ]);
          List.iter
            (fun (n, param) ->
              same "parameter" "hvm_param_get" domid n (fun () ->
                  [ Int64.to_int (Xenctrl.hvm_param_get h domid param) ]))
            Xenctrl.
              [
                (0, HVM_PARAM_CALLBACK_IRQ); (1, HVM_PARAM_STORE_PFN); (2, HVM_PARAM_STORE_EVTCHN);
                (3, HVM_PARAM_UNDEF_3); (4, HVM_PARAM_PAE_ENABLED); (17, HVM_PARAM_CONSOLE_PFN);
                (35, HVM_PARAM_ALTP2M); (38, HVM_PARAM_MCA_CAP);
              ];
          List.iter
            (fun port ->
              same "event channel" "evtchn_status" domid port (fun () ->
                  match Xenctrl.evtchn_status h domid port with
                  | None -> [ 0; 0; 0 ]
                  | Some { vcpu; status = EVTCHNSTAT_unbound remote } -> [ 1; vcpu; remote ]
                  | Some _ -> Alcotest.fail "a status that nothing here has"))
            [ port; port + 1; 1_000_000 ])
        domains;
      same "scheduler" "sched_id" 0 0 (fun () -> [ Xenctrl.sched_id h ]);
      Oracle.close oracle;
      List.iter (Xenctrl.domain_destroy h) hvm)

(* {1 All of them} *)

let bad_domid_calls h bad =
  [
    ("vcpuinfo", fun () -> ignore (Xenctrl.domain_get_vcpuinfo h bad 0));
    ("affinity", fun () -> ignore (Xenctrl.vcpu_affinity_get h bad 0));
    ("affinity", fun () -> Xenctrl.vcpu_affinity_set h bad 0 [| true |]);
    ("context", fun () -> ignore (Xenctrl.vcpu_context_get h bad 0));
    ("credit", fun () -> ignore (Xenctrl.sched_credit_domain_get h bad));
    ("credit", fun () -> Xenctrl.sched_credit_domain_set h bad { weight = 256; cap = 0 });
    ("shadow", fun () -> ignore (Xenctrl.shadow_allocation_get h bad));
    ("shadow", fun () -> Xenctrl.shadow_allocation_set h bad 1);
    ("reservation", fun () -> Xenctrl.domain_memory_increase_reservation h bad 4L);
    ("memmap", fun () -> Xenctrl.domain_set_memmap_limit h bad 4L);
    ("map", fun () -> ignore (Xenctrl.map_foreign_range h bad 4096 0n));
    ("resume", fun () -> Xenctrl.domain_resume_fast h bad);
    ("ioport", fun () -> Xenctrl.domain_ioport_permission h bad 0 1 true);
    ("iomem", fun () -> Xenctrl.domain_iomem_permission h bad 0n 1n true);
    ("irq", fun () -> Xenctrl.domain_irq_permission h bad 0 true);
    ("alloc_unbound", fun () -> ignore (Xenctrl.evtchn_alloc_unbound h bad 0));
    ("reset", fun () -> Xenctrl.evtchn_reset h bad);
    ("status", fun () -> ignore (Xenctrl.evtchn_status h bad 1));
    ("hvm_param", fun () -> ignore (Xenctrl.hvm_param_get h bad HVM_PARAM_STORE_PFN));
    ("hvm_param", fun () -> Xenctrl.hvm_param_set h bad HVM_PARAM_STORE_PFN 0L);
    ("assign", fun () -> Xenctrl.domain_assign_device h bad (0, 3, 0, 0));
    ("deassign", fun () -> Xenctrl.domain_deassign_device h bad (0, 3, 0, 0));
    ("test_assign", fun () -> ignore (Xenctrl.domain_test_assign_device h bad (0, 3, 0, 0)));
  ]

let test_domids () =
  configure "domains=3";
  let h = Xenctrl.interface_open () in
  List.iter
    (fun bad ->
      List.iter
        (fun (what, f) -> refused (Printf.sprintf "%s %d" what bad) f)
        (bad_domid_calls h bad))
    bad_domids

let test_faults () = check_faults ~spec:control_spec ~prepare control
let test_lock_is_released () = check_lock_is_released ~spec:control_spec ~prepare (control @ others)

let () =
  Alcotest.run
    (Printf.sprintf "Xenctrl's control on %s %s" (if on_sim then "xensim" else "Xen") release)
    [
      ( "vCPU",
        [
          test "vcpuinfo" test_vcpuinfo;
          test "affinity" test_affinity;
          test "context" test_context;
          test "resume" test_resume;
        ] );
      ("scheduler", [ test "running one" test_scheduler ] @ sim_only [ test "credit" test_credit ]);
      ( "memory",
        [
          test "shadow allocation" test_shadow_allocation;
          test "reservation" test_reservation;
          test "map" test_map;
          test "dying" test_dying;
        ] );
      ("permissions", [ test "ports, frames, interrupts" test_permissions ]);
      ("event channels", [ test "life of one" test_event_channels ]);
      ("HVM", [ test "parameters" test_hvm_params ]);
      ( "host",
        [
          test "console" test_console;
          test "pCPUs" test_pcpus;
          test "featuresets" test_featuresets;
          test "watchdog" test_watchdog;
        ]
        @ sim_only [ test "large results" test_large_results ] );
      ( "devices",
        [ test "none there" test_devices ] @ sim_only [ test "assign" test_assign ] );
      ( "all",
        (if oracle_asks && oracle_lists then [ test "libxenctrl's answers" test_oracle ] else [])
        @ [ test "domids out of range" test_domids ]
        @ sim_only
            [ test "errno" test_faults; test "the lock is released" test_lock_is_released ] );
    ]
