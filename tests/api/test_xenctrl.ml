(* Every function of Xenctrl, on whatever hypervisor is there (see world.ml). *)

open Test_support
open Test_externals.Records
open World
open Externals

(* {1 The handle} *)

let closed = "9: Bad file descriptor: the handle is closed"

let test_open_close () =
  configure "domains=5";
  let h = Xenctrl.interface_open () in
  check_bool "a list" true (Xenctrl.domain_getinfolist h 0 <> []);
  interface_close h;
  check_string "use after close" closed
    (error_of (fun () -> ignore (Xenctrl.domain_getinfolist h 0)));
  check_string "use after close" closed (error_of (fun () -> ignore (Xenctrl.version h)));
  check_string "second close" closed (error_of (fun () -> interface_close h))

let open_descriptors () = Array.length (Sys.readdir "/proc/self/fd")

let test_handles_are_collected () =
  configure "domains=5";
  let before = open_descriptors () in
  (* Many processes may open no more than 1024, and the collector knows nothing of that. *)
  let most = ref 0 in
  for i = 1 to 2000 do
    ignore (Sys.opaque_identity (Xenctrl.interface_open ()));
    if i mod 50 = 0 then most := max !most (open_descriptors () - before)
  done;
  if !most > 900 then Alcotest.failf "%d descriptors at once" !most;
  for _ = 1 to 200 do
    ignore (Xenctrl.domain_getinfolist (Xenctrl.interface_open ()) 0)
  done;
  Gc.full_major ();
  Gc.full_major ();
  check_int "descriptors" before (open_descriptors ());
  if on_sim then check_int "buffers" 0 (Counters.get "mapped_bytes")

let test_with_intf () =
  configure "domains=5";
  Xenctrl.close_handle ();
  check_bool "none yet" true (Xenctrl.get_handle () = None);
  let h = Xenctrl.with_intf Fun.id in
  check_bool "one for all" true (Xenctrl.with_intf Fun.id == h);
  check_bool "that one" true (match Xenctrl.get_handle () with Some g -> g == h | None -> false);
  check_bool "exceptions pass" true
    (match Xenctrl.with_intf (fun _ -> raise Exit) with
    | () -> false
    | exception Exit -> true);
  Xenctrl.close_handle ();
  check_bool "forgotten" true (Xenctrl.get_handle () = None);
  (* Who still has it may use it. *)
  ignore (Xenctrl.version h);
  let another = Xenctrl.with_intf Fun.id in
  check_bool "another" true (another != h);
  (* Closed under it. *)
  interface_close another;
  check_bool "no more" true (Xenctrl.get_handle () = None);
  check_bool "a third" true (Xenctrl.with_intf (fun g -> Xenctrl.domain_getinfolist g 0 <> []))

let test_fork () =
  configure "domains=5";
  let h = Xenctrl.interface_open () in
  let own = Xenctrl.with_intf Fun.id in
  let closed_there = Xenctrl.interface_open () in
  ignore (Xenctrl.domain_getinfolist h 0);
  let expect what condition = if not condition then failwith what in
  in_child (fun () ->
      (* Closing touches neither libxencall nor buffers that the child does not have. *)
      Counters.reset ();
      interface_close closed_there;
      if on_sim then expect "buffers freed" (Counters.get "buffer_frees" = 0);
      expect "closed" (error_of (fun () -> interface_close closed_there) = closed);
      expect "get_handle" (Xenctrl.get_handle () = None);
      expect "with_intf" (Xenctrl.with_intf (fun g -> g != own && Xenctrl.domain_getinfolist g 0 <> []));
      expect "own handle" (Xenctrl.domain_getinfolist (Xenctrl.interface_open ()) 0 <> []);
      (* An inherited one is opened anew by its first call, and freed as any other. *)
      expect "inherited handle" (Xenctrl.domain_getinfolist h 0 <> []);
      if on_sim then begin
        let frees, handles = (Counters.get "buffer_frees", Counters.get "handles") in
        interface_close h;
        expect "its buffers" (Counters.get "buffer_frees" > frees);
        expect "its own handle" (Counters.get "handles" = handles - 1)
      end;
      (* The parent's handle dies here too, and must leave the parent's in peace. *)
      Gc.full_major ());
  check_bool "the parent goes on" true (Xenctrl.domain_getinfolist h 0 <> []);
  check_bool "with its handle" true (Xenctrl.with_intf (fun g -> g == own));
  check_bool "and the other" true (Xenctrl.domain_getinfolist closed_there 0 <> [])

(* As daemons do it: a handle is opened first of all, its opener goes into the background by two
   forks, and there the handle is used, here by many threads at once. *)
let test_daemon () =
  configure "domains=3";
  let h = Xenctrl.interface_open () in
  let domid = Xenctrl.domain_create h config in
  let frame = Int64.to_nativeint (Xenctrl.domain_getinfo h domid).shared_info_frame in
  let all = domids (Xenctrl.domain_getinfolist h 0) in
  let use () =
    assert (domids (Xenctrl.domain_getinfolist h 0) = all);
    assert ((Xenctrl.domain_getinfo h domid).domid = domid);
    Xenmmap.unmap (Xenctrl.map_foreign_range h domid (Xenmmap.getpagesize ()) frame)
  in
  in_child (fun () ->
      in_child (fun () ->
          let handles () = if on_sim then Counters.get "handles" else 1 in
          let before = handles () and failed = Atomic.make 0 in
          let work () = try use () with _ -> Atomic.incr failed in
          List.iter Thread.join (List.init 8 (fun _ -> Thread.create work ()));
          assert (Atomic.get failed = 0);
          (* libxencall's and libxenforeignmemory's. *)
          if on_sim then assert (handles () = before + 2);
          use ();
          Xenctrl.domain_pause h domid;
          Xenctrl.domain_unpause h domid);
      (* Its child's session is not its own. *)
      use ());
  use ();
  Xenctrl.domain_destroy h domid

let test_unsupported () =
  let refusal spec =
    Xensim.configure spec;
    error_of (fun () -> ignore (Xenctrl.interface_open ()))
  in
  let found = Printf.sprintf "Unable to open XC interface: found Xen %s" in
  let supported = ", supported are Xen 4.17 to 4.22" in
  List.iter
    (fun version ->
      check_string version (found version ^ supported) (refusal ("version=" ^ version)))
    [ "4.16"; "4.23"; "5.0" ];
  check_prefix
    (found release ^ ", which refuses its sysctl interface version 0x1")
    (refusal (Printf.sprintf "version=%s,sysctl=0x14" release));
  check_prefix
    (found release ^ ", which refuses its domctl interface version 0x1")
    (refusal (Printf.sprintf "version=%s,domctl=0x19" release));
  Xensim.configure (Printf.sprintf "version=%s,fault=open:ENOENT@1" release);
  Xenctrl.close_handle ();
  (match Xenctrl.with_intf ignore with
  | () -> Alcotest.fail "no exception"
  | exception Failure message ->
    check_string "with_intf"
      "failed to open xenctrl: Xenctrl.Error(\"Unable to open XC interface: 2: No such file or \
       directory\")"
      message);
  Gc.full_major ();
  check_int "no handle is left of the failures" 0 (Counters.get "handles")

let test_unprivileged () =
  Xensim.configure (Printf.sprintf "version=%s,privileged=no" release);
  let h = Xenctrl.interface_open () in
  let eperm = "1: Operation not permitted" in
  check_int "what anyone may ask" 4 (Xenctrl.version h).major;
  check_string "sysctl" eperm (error_of (fun () -> ignore (Xenctrl.physinfo h)));
  check_string "list" eperm (error_of (fun () -> ignore (Xenctrl.domain_getinfolist h 0)));
  check_string "domctl" eperm (error_of (fun () -> Xenctrl.domain_pause h 1))

(* {1 The hypervisor and the host} *)

let test_version () =
  configure "";
  let h = Xenctrl.interface_open () and oracle = Oracle.open_ () in
  let v = Xenctrl.version h in
  check_string "release" release (Printf.sprintf "%d.%d" v.major v.minor);
  check_int "packed" (Oracle.version oracle) ((v.major lsl 16) lor v.minor);
  check_string "extra" (Oracle.extraversion oracle) v.extra;
  let ours = Xenctrl.version_compile_info h and theirs = Oracle.compile_info oracle in
  check_string "compiler" theirs.compiler ours.compiler;
  check_string "compile_by" theirs.compile_by ours.compile_by;
  check_string "compile_domain" theirs.compile_domain ours.compile_domain;
  check_string "compile_date" theirs.compile_date ours.compile_date;
  check_bool "compiler" true (ours.compiler <> "");
  check_string "changeset" (Oracle.changeset oracle) (Xenctrl.version_changeset h);
  let capabilities = Xenctrl.version_capabilities h in
  check_string "capabilities" (Oracle.capabilities oracle) capabilities;
  check_prefix "xen-3.0-x86_64" capabilities;
  Oracle.close oracle

let all_capabilities =
  Xenctrl.
    [
      CAP_HVM; CAP_PV; CAP_DirectIO; CAP_HAP; CAP_Shadow; CAP_IOMMU_HAP_PT_SHARE; CAP_Vmtrace;
      CAP_Vpmu; CAP_Gnttab_v1; CAP_Gnttab_v2;
    ]

let test_physinfo () =
  configure "domains=100,cpus=3";
  let h = Xenctrl.interface_open () in
  let p = Xenctrl.physinfo h in
  check_bool "memory" true (p.total_pages > 0n && p.free_pages > 0n && p.free_pages < p.total_pages);
  check_bool "capabilities" true (List.mem Xenctrl.CAP_PV p.capabilities);
  check_bool "arch" true (p.arch_capabilities = Xenctrl.X86 []);
  if on_sim then check_int "pCPUs" 3 p.nr_cpus;
  if oracle_lists then begin
    let oracle = Oracle.open_ () in
    let o = Oracle.physinfo oracle in
    Oracle.close oracle;
    check_int "threads_per_core" o.threads_per_core p.threads_per_core;
    check_int "cores_per_socket" o.cores_per_socket p.cores_per_socket;
    check_int "nr_cpus" o.nr_cpus p.nr_cpus;
    check_int "max_node_id" o.max_node_id p.max_node_id;
    check_int "cpu_khz" o.cpu_khz p.cpu_khz;
    check_int "max_nr_cpus" (o.max_cpu_id + 1) p.max_nr_cpus;
    let pages = Alcotest.(check int64) and of_nat = Int64.of_nativeint in
    pages "total_pages" o.total_pages (of_nat p.total_pages);
    pages "scrub_pages" o.scrub_pages (of_nat p.scrub_pages);
    (* Nothing is created in between. *)
    pages "free_pages" o.free_pages (of_nat p.free_pages);
    check_bool "capabilities" true (of_bits all_capabilities o.capabilities = p.capabilities)
  end

let test_units () =
  let check = Alcotest.(check int64) in
  check "KiB" 40L (Xenctrl.pages_to_kib 10L);
  check "MiB" 3L (Xenctrl.pages_to_mib 1023L);
  check "negative" (-4L) (Xenctrl.pages_to_kib (-1L));
  check "wraps" (Int64.mul 4L Int64.max_int) (Xenctrl.pages_to_kib Int64.max_int)

(* {1 One domain} *)

let bytes_of_uuid uuid =
  let hex = String.concat "" (String.split_on_char '-' uuid) in
  Array.init 16 (fun i -> int_of_string ("0x" ^ String.sub hex (2 * i) 2))

let check_uuid what uuid (d : Xenctrl.domaininfo) =
  Alcotest.(check (array int)) what (bytes_of_uuid uuid) d.handle

let test_create () =
  let handle = "01234567-89ab-cdef-0123-456789ABCDEF" in
  with_domain ~config:{ config with handle } (fun h domid ->
      check_bool "a guest's domid" true (domid > 0 && domid < 0x7FF0);
      let d = Xenctrl.domain_getinfo h domid in
      check_int "domid" domid d.domid;
      check_uuid "handle" handle d;
      check_bool "paused" true d.paused;
      check_bool "else nothing" false
        (d.dying || d.shutdown || d.blocked || d.running || d.hvm_guest);
      check_int "no shutdown code" 255 d.shutdown_code;
      check_int "no vCPUs online" 0 d.nr_online_vcpus;
      check_int "no vCPUs" 4294967295 d.max_vcpu_id;
      check_bool "no CPU time" true (d.cpu_time = 0L);
      check_bool "no memory yet" true (d.total_memory_pages = 0n);
      check_bool "arch" true
        (d.arch_config = Xenctrl.X86 { emulation_flags = []; misc_flags = [] });
      (* By its own choice, another. *)
      let other = Xenctrl.domain_create h config in
      check_bool "another domid" true (other <> domid && other > 0);
      Xenctrl.domain_destroy h other)

let test_create_at_domid () =
  with_domain (fun h taken ->
      let wanted = 0x7FEF in
      check_int "as wanted" wanted (Xenctrl.domain_create h ~domid:wanted config);
      check_int "is there" wanted (Xenctrl.domain_getinfo h wanted).domid;
      check_string "taken" "17: File exists"
        (error_of (fun () -> ignore (Xenctrl.domain_create h ~domid:taken config)));
      Xenctrl.domain_destroy h wanted)

let test_create_arguments () =
  with_domain (fun h _ ->
      let refused what message config =
        check_string what message
          (error_of (fun () -> ignore (Xenctrl.domain_create h config)))
      in
      refused "no vCPUs" "22: Invalid argument" { config with max_vcpus = 0 };
      refused "HAP without HVM" "22: Invalid argument" { config with flags = [ CDF_HAP ] };
      refused "a PV guest with an emulated device" "95: Operation not supported"
        { config with arch = X86 { emulation_flags = [ X86_EMU_VGA ]; misc_flags = [] } };
      match Xenctrl.domain_create h { config with altp2m_opts = 1l } with
      | domid ->
        Xenctrl.domain_destroy h domid;
        Alcotest.fail "altp2m for a PV guest"
      | exception Invalid_argument message ->
        check_bool "a release without the field" true (minor < 19);
        check_string "named"
          (Printf.sprintf "altp2m_opts: Xen %s has no such field, it must be zero" release)
          message
      | exception Xenctrl.Error message ->
        check_bool "a release with the field" true (minor >= 19);
        check_string "refused" "22: Invalid argument" message)

let test_hvm () =
  configure "domains=3";
  let h = Xenctrl.interface_open () in
  let create emulation_flags =
    Xenctrl.domain_create h
      {
        config with
        flags = [ CDF_HVM; CDF_HAP ];
        arch = X86 { emulation_flags; misc_flags = [ X86_MSR_RELAXED ] };
      }
  in
  if List.mem Xenctrl.CAP_HAP (Xenctrl.physinfo h).capabilities then begin
    let check domid expected =
      let d = Xenctrl.domain_getinfo h domid in
      check_bool "HVM" true d.hvm_guest;
      check_bool "emulation" true
        (d.arch_config = Xenctrl.X86 { emulation_flags = expected; misc_flags = [] });
      Xenctrl.domain_destroy h domid
    in
    check (create [ X86_EMU_LAPIC ]) [ X86_EMU_LAPIC ];
    let all =
      Xenctrl.
        [
          X86_EMU_LAPIC; X86_EMU_HPET; X86_EMU_PM; X86_EMU_RTC; X86_EMU_IOAPIC; X86_EMU_PIC;
          X86_EMU_VGA; X86_EMU_IOMMU; X86_EMU_PIT; X86_EMU_USE_PIRQ;
        ]
    in
    (* In any order, and listed from the greatest. *)
    check (create all) (List.rev all)
  end
  else
    check_string "no HAP" "22: Invalid argument" (error_of (fun () -> ignore (create [])))

let test_sethandle () =
  with_domain (fun h domid ->
      let uuid = "deadbeef-dead-beef-dead-beef00000001" in
      Xenctrl.domain_sethandle h domid uuid;
      check_uuid "changed" uuid (Xenctrl.domain_getinfo h domid))

let test_max_vcpus () =
  with_domain ~config:{ config with max_vcpus = 3 } (fun h domid ->
      check_string "another number" "22: Invalid argument"
        (error_of (fun () -> Xenctrl.domain_max_vcpus h domid 2));
      Xenctrl.domain_max_vcpus h domid 3;
      check_int "greatest" 2 (Xenctrl.domain_getinfo h domid).max_vcpu_id)

let test_pause () =
  with_domain (fun h domid ->
      let paused () = (Xenctrl.domain_getinfo h domid).paused in
      Xenctrl.domain_pause h domid;
      Xenctrl.domain_unpause h domid;
      check_bool "counted" true (paused ());
      Xenctrl.domain_unpause h domid;
      check_bool "none left" false (paused ());
      check_string "none to take back" "22: Invalid argument"
        (error_of (fun () -> Xenctrl.domain_unpause h domid));
      Xenctrl.domain_pause h domid;
      check_bool "again" true (paused ());
      check_string "oneself" "22: Invalid argument"
        (error_of (fun () -> Xenctrl.domain_pause h 0)))

let test_shutdown () =
  List.iteri
    (fun code reason ->
      with_domain (fun h domid ->
          Xenctrl.domain_max_vcpus h domid 1;
          Xenctrl.domain_shutdown h domid reason;
          let d = Xenctrl.domain_getinfo h domid in
          check_bool "shut down" true d.shutdown;
          check_int "for the reason" code d.shutdown_code))
    Xenctrl.[ Poweroff; Reboot; Suspend; Crash; Watchdog; Soft_reset ]

let test_setmaxmem () =
  with_domain (fun h domid ->
      let limit kib =
        Xenctrl.domain_setmaxmem h domid kib;
        (Xenctrl.domain_getinfo h domid).max_memory_pages
      in
      let check what expected pages =
        Alcotest.(check int64) what (Int64.of_nativeint expected) (Int64.of_nativeint pages)
      in
      check "pages" 1024n (limit 4096L);
      check "rounded down" 1024n (limit 4099L);
      check "zero" 0n (limit 0L);
      (* Beyond 4 TiB, where upstream's stub of 4.17 cut it down to 32 bits. *)
      check "8 TiB" 0x8000_0000n (limit 0x2_0000_0000L);
      check "all that fits" 0xFFFF_FFFFn (limit Int64.max_int))

let test_destroy () =
  with_domain (fun h domid ->
      Xenctrl.domain_destroy h domid;
      wait_until "the end of the domain" (fun () ->
          match Xenctrl.domain_getinfo h domid with
          | (_ : Xenctrl.domaininfo) -> false
          | exception Xenctrl.Error _ -> true);
      check_string "gone" esrch (error_of (fun () -> ignore (Xenctrl.domain_getinfo h domid)));
      check_string "twice" esrch (error_of (fun () -> Xenctrl.domain_destroy h domid));
      check_string "oneself" "22: Invalid argument"
        (error_of (fun () -> Xenctrl.domain_destroy h 0)))

(* Up to 4.17 the hypervisor answers with the next domain. *)
let test_getinfo_of_none () =
  configure "domains=3,domids=dense";
  let h = Xenctrl.interface_open () in
  let low = Xenctrl.domain_create h config in
  let gap = Xenctrl.domain_create h config in
  let high = Xenctrl.domain_create h config in
  Xenctrl.domain_destroy h gap;
  check_string "a gap" esrch (error_of (fun () -> ignore (Xenctrl.domain_getinfo h gap)));
  check_int "above" high (Xenctrl.domain_getinfo h high).domid;
  List.iter (Xenctrl.domain_destroy h) [ low; high ];
  check_string "none above" esrch (error_of (fun () -> ignore (Xenctrl.domain_getinfo h 0x7FEF)));
  let reserved = error_of (fun () -> ignore (Xenctrl.domain_getinfo h 0x7FF0)) in
  check_string "reserved" (if minor = 17 then "22: Invalid argument" else esrch) reserved

(* A record that no OCaml code can make: what a stub does not expect is an exception too. *)
let test_malformed () =
  with_domain (fun h domid ->
      let short : Xenctrl.xen_x86_arch_domainconfig = Obj.magic (ref []) in
      (match Xenctrl.domain_create h { config with arch = X86 short } with
      | _ -> Alcotest.fail "accepted"
      | exception Failure message -> check_prefix "xenctrl: internal error: " message);
      check_bool "the handle goes on" true ((Xenctrl.domain_getinfo h domid).domid = domid))

let test_missing_domain () =
  configure "domains=3,domids=dense";
  let h = Xenctrl.interface_open () in
  let none = 30000 in
  List.iter
    (fun (name, f) -> check_string name esrch (error_of f))
    [
      ("sethandle", fun () -> Xenctrl.domain_sethandle h none (uuid_of_domid 1));
      ("max_vcpus", fun () -> Xenctrl.domain_max_vcpus h none 1);
      ("pause", fun () -> Xenctrl.domain_pause h none);
      ("unpause", fun () -> Xenctrl.domain_unpause h none);
      ("destroy", fun () -> Xenctrl.domain_destroy h none);
      ("shutdown", fun () -> Xenctrl.domain_shutdown h none Xenctrl.Crash);
      ("setmaxmem", fun () -> Xenctrl.domain_setmaxmem h none 4096L);
      (* A domid that fits 16 bits and that no domain can have. *)
      ("pause 65535", fun () -> Xenctrl.domain_pause h 65535);
    ]

(* {1 Arguments out of range} *)

let bad_counts = [ -1; 1 lsl 32; max_int; min_int ]

let bad_uuids =
  [
    ""; "0"; String.make 36 '-'; "01234567-89ab-cdef-0123-456789abcde";
    "01234567-89ab-cdef-0123-456789abcdef ";
    "01234567-89ab-cdef-0123-456789abcdeg"; "0123456789ab-cdef-0123-456789abcdef----";
    "01234567-89ab-cdef-01234-56789abcdef"; "01234567-89ab-cdef-0123 456789abcdef";
    " 1234567-89ab-cdef-0123-456789abcdef"; "+1234567-89ab-cdef-0123-456789abcdef";
    "0x234567-89ab-cdef-0123-456789abcdef"; "01234567-89ab-cdef-0123-456789abcde\000";
    String.make 100_000 'f';
  ]

let test_out_of_range () =
  with_domain (fun h domid ->
      List.iter
        (fun bad ->
          let name what = Printf.sprintf "%s %d" what bad in
          refused (name "pause") (fun () -> Xenctrl.domain_pause h bad);
          refused (name "unpause") (fun () -> Xenctrl.domain_unpause h bad);
          refused (name "destroy") (fun () -> Xenctrl.domain_destroy h bad);
          refused (name "shutdown") (fun () -> Xenctrl.domain_shutdown h bad Xenctrl.Crash);
          refused (name "sethandle") (fun () -> Xenctrl.domain_sethandle h bad (uuid_of_domid 1));
          refused (name "max_vcpus") (fun () -> Xenctrl.domain_max_vcpus h bad 1);
          refused (name "setmaxmem") (fun () -> Xenctrl.domain_setmaxmem h bad 4096L);
          refused (name "getinfo") (fun () -> ignore (Xenctrl.domain_getinfo h bad));
          refused (name "getinfolist") (fun () -> ignore (Xenctrl.domain_getinfolist h bad));
          refused (name "_getinfolist") (fun () -> ignore (Xenctrl._domain_getinfolist h bad 2));
          refused (name "create") (fun () -> ignore (Xenctrl.domain_create h ~domid:bad config)))
        bad_domids;
      List.iter
        (fun bad ->
          let name what = Printf.sprintf "%s %d" what bad in
          refused (name "count") (fun () -> ignore (Xenctrl._domain_getinfolist h 0 bad));
          refused (name "vCPUs") (fun () -> Xenctrl.domain_max_vcpus h domid bad);
          let create what config =
            refused (name what) (fun () -> ignore (Xenctrl.domain_create h config))
          in
          create "max_vcpus" { config with max_vcpus = bad };
          create "max_grant_version" { config with max_grant_version = bad };
          if bad <> -1 then begin
            create "max_evtchn_port" { config with max_evtchn_port = bad };
            create "max_grant_frames" { config with max_grant_frames = bad };
            create "max_maptrack_frames" { config with max_maptrack_frames = bad }
          end)
        bad_counts;
      List.iter
        (fun bad ->
          refused "uuid" (fun () -> Xenctrl.domain_sethandle h domid bad);
          refused "uuid" (fun () -> ignore (Xenctrl.domain_create h { config with handle = bad })))
        bad_uuids;
      List.iter
        (fun bad -> refused "memory" (fun () -> Xenctrl.domain_setmaxmem h domid bad))
        [ -1L; Int64.min_int ];
      refused "max_grant_version 16" (fun () ->
          ignore (Xenctrl.domain_create h { config with max_grant_version = 16 }));
      List.iter
        (fun vmtrace_buf_kb ->
          refused "vmtrace_buf_kb" (fun () ->
              ignore (Xenctrl.domain_create h { config with vmtrace_buf_kb })))
        [ -1l; Int32.min_int; Int32.max_int; 0x400000l ];
      List.iter
        (fun altp2m_opts ->
          refused "altp2m_opts" (fun () ->
              ignore (Xenctrl.domain_create h { config with altp2m_opts })))
        [ -1l; 0x10000l; Int32.max_int ];
      (* Constructors of a newer module. *)
      let newer (n : int) = Obj.magic n in
      let x86 emulation_flags misc_flags : Xenctrl.arch_domainconfig =
        X86 { emulation_flags; misc_flags }
      in
      List.iter
        (fun (name, config) ->
          refused name (fun () -> ignore (Xenctrl.domain_create h config)))
        [
          ("flag 9", { config with flags = [ CDF_HVM; newer 9 ] });
          ("flag 64", { config with flags = [ newer 64 ] });
          ("iommu_opts 1", { config with iommu_opts = [ newer 1 ] });
          ("emulation flag 11", { config with arch = x86 [ newer 11 ] [] });
          ("misc flag 1", { config with arch = x86 [] [ newer 1 ] });
        ];
      refused "shutdown reason 6" (fun () -> Xenctrl.domain_shutdown h domid (newer 6));
      check_string "ARM" "Unhandled: ARM"
        (match
           Xenctrl.domain_create h
             { config with arch = ARM { gic_version = 0; nr_spis = 0; clock_frequency = 0l } }
         with
        | _ -> "accepted"
        | exception Failure message -> message);
      check_bool "the handle goes on" true ((Xenctrl.domain_getinfo h domid).domid = domid))

(* {1 The list} *)

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
let check_against_oracle h oracle =
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
      if oracle_lists then begin
        let oracle = Oracle.open_ () in
        check_against_oracle h oracle;
        Oracle.close oracle
      end;
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

let guests = [ 0; 1; 2; 3; 36; 37; 1023; 1024; 1025; 4000; 32751 ]

let list_tests =
  List.concat_map
    (fun guests ->
      if guests > most_guests then []
      else
        List.map
          (fun (name, spread) ->
            test (Printf.sprintf "%d guests, %s domids" guests name) (test_list spread guests))
          (* 32752 domids have no gaps. *)
          (if guests = 32751 then [ ("all", Dense) ] else [ ("dense", Dense); ("sparse", Sparse) ]))
    guests

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
  if oracle_lists then begin
    let oracle = Oracle.open_ () in
    check_against_oracle h oracle;
    Oracle.close oracle
  end;
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

(* {1 Records in the heap} *)

let rec words v =
  if Obj.is_int v then 0
  else if Obj.tag v >= Obj.no_scan_tag then 1 + Obj.size v
  else
    let sum = ref (1 + Obj.size v) in
    for i = 0 to Obj.size v - 1 do
      sum := !sum + words (Obj.field v i)
    done;
    !sum

let test_shape () =
  configure "domains=100";
  let h = Xenctrl.interface_open () in
  let all = Xenctrl.domain_getinfolist h 0 @ [ Xenctrl.domain_getinfo h 0 ] in
  List.iter
    (fun (d : Xenctrl.domaininfo) ->
      check_int "fields" 17 (Obj.size (Obj.repr d));
      check_int "handle" 16 (Array.length d.handle);
      (match d.arch_config with
      | X86 x86 ->
        (* Upstream's stub allocates one field of the two. *)
        check_int "x86" 2 (Obj.size (Obj.repr x86));
        check_bool "misc_flags" true (x86.misc_flags = [])
      | ARM _ -> Alcotest.fail "ARM");
      check_int "words" (50 + words (Obj.repr d.arch_config)) (words (Obj.repr d)))
    all;
  (* Mutable parts are each record's own, immutable ones are shared. *)
  let again = Xenctrl.domain_getinfo h 0 and first = Xenctrl.domain_getinfo h 0 in
  check_bool "handle" true (again.handle != first.handle);
  again.handle.(0) <- 99;
  check_bool "untouched" true ((Xenctrl.domain_getinfo h 0).handle.(0) <> 99);
  check_bool "arch_config" true (again.arch_config == first.arch_config);
  (* It can be marshalled, hashed and compared like any other value. *)
  let copy : Xenctrl.domaininfo list = Marshal.from_string (Marshal.to_string all []) 0 in
  check_bool "marshalled" true (copy = all);
  check_bool "hashed" true (Hashtbl.hash copy = Hashtbl.hash all)

(* Records stay what they are while the collector moves them. *)
let test_collections () =
  with_guests 200 (fun h ->
      let reference = Xenctrl.domain_getinfolist h 0 in
      let size = (Gc.get ()).minor_heap_size in
      Fun.protect
        ~finally:(fun () -> Gc.set { (Gc.get ()) with minor_heap_size = size })
        (fun () ->
          Gc.set { (Gc.get ()) with minor_heap_size = 4096 };
          let kept = Array.make 50 [] in
          for i = 0 to 499 do
            (* The list is built wherever in the minor heap this leaves it. *)
            ignore (Sys.opaque_identity (List.init (i * 7 mod 900) Fun.id));
            kept.(i mod 50) <- Xenctrl.domain_getinfolist h 0;
            if i mod 100 = 99 then Gc.compact ()
          done;
          Array.iter (fun list -> check_records "kept" reference list) kept))

(* A leak grows with every thousand calls, whatever else the process does with its memory. *)
let test_flat_memory () =
  with_guests (min 1000 most_guests) (fun h ->
      let growth calls =
        let before = Memory.resident_kib () in
        for _ = 1 to calls do
          ignore (Sys.opaque_identity (Xenctrl.domain_getinfolist h 0));
          ignore (Sys.opaque_identity (Xenctrl.domain_getinfo h 0));
          try Xenctrl.domain_pause h 32000 with Xenctrl.Error _ -> ()
        done;
        Gc.compact ();
        Memory.resident_kib () - before
      in
      let least = List.fold_left min max_int (List.init 4 (fun _ -> growth 1000)) in
      if least > 16 then Alcotest.failf "every 1000 calls leave %d KiB" least)

(* {1 Faults} *)

let test_faults () = check_faults basic

let test_no_memory () =
  let enomem = "12: Cannot allocate memory" in
  configure "domains=1000,fault=buffer:ENOMEM@1";
  check_string "the first buffer"
    ("Unable to open XC interface: " ^ enomem)
    (error_of (fun () -> ignore (Xenctrl.interface_open ())));
  let h = Xenctrl.interface_open () in
  configure "domains=1000,fault=buffer:ENOMEM@1";
  check_string "a larger one" enomem (error_of (fun () -> ignore (Xenctrl.domain_getinfolist h 0)));
  check_int "the handle goes on" 1000 (List.length (Xenctrl.domain_getinfolist h 0))

(* {1 Threads} *)

let test_lock_is_released () =
  check_lock_is_released
    (("xen_version.version", fun _ -> ignore (Xenctrl.interface_open ()))
    :: ("close", fun _ -> interface_close (Xenctrl.interface_open ()))
    :: basic)

exception Signalled

(* A handler that raises does so in OCaml code, and not while a stub holds something. *)
let test_signals () =
  configure "domains=5,domids=dense,delay=domctl.pausedomain:20ms";
  Gc.full_major ();
  let before = Counters.get "handles" in
  let h = Xenctrl.interface_open () in
  let timer seconds =
    ignore (Unix.setitimer ITIMER_REAL { it_interval = 0.; it_value = seconds })
  in
  let old = Sys.signal Sys.sigalrm (Signal_handle (fun _ -> raise Signalled)) in
  (match
     timer 0.005;
     Xenctrl.domain_pause h 2;
     (* It is pending now, where nothing has made OCaml look yet. *)
     Xenctrl.domain_pause h 2;
     Unix.sleepf 1.
   with
  | () -> Alcotest.fail "no signal"
  | exception Signalled -> ());
  Sys.set_signal Sys.sigalrm old;
  check_bool "the handle goes on" true (Xenctrl.domain_getinfolist h 0 <> []);
  interface_close h;
  check_int "handles" before (Counters.get "handles")

(* Many calls at once on one handle, each with a buffer of its own. *)
let test_threads () =
  configure "domains=600,domids=dense";
  let h = Xenctrl.interface_open () in
  let expected = List.length (Xenctrl.domain_getinfolist h 0) in
  let wrong = Atomic.make 0 in
  let work seed () =
    for i = 1 to 200 do
      let ok =
        match (seed + i) mod 3 with
        | 0 -> List.length (Xenctrl.domain_getinfolist h 0) = expected
        | 1 -> (Xenctrl.domain_getinfo h (i mod 500)).domid = i mod 500
        | _ -> (
          match Xenctrl.domain_pause h 30000 with
          | () -> false
          | exception Xenctrl.Error message -> message = esrch)
      in
      if not ok then Atomic.incr wrong;
      if i mod 16 = 0 then Thread.yield ()
    done
  in
  List.iter Thread.join (List.init 8 (fun seed -> Thread.create (work seed) ()));
  check_int "wrong answers" 0 (Atomic.get wrong)

(* Idle buffers are kept, as many as calls were under way at once, the large ones for lists. *)
let test_buffers_are_kept () =
  let lists = "domains=1000,delay=sysctl.getdomaininfolist:30ms" in
  configure lists;
  let h = Xenctrl.interface_open () in
  let at_once n f = List.iter Thread.join (List.init n (fun _ -> Thread.create f ())) in
  let list () = ignore (Xenctrl.domain_getinfolist h 0) in
  at_once 4 list;
  let _, mappings = counted "mappings" (fun () -> at_once 2 list) in
  check_int "two lists at once" 0 mappings;
  configure "domains=1000,delay=domctl.pausedomain:50ms";
  let h = Xenctrl.interface_open () in
  let list () = ignore (Xenctrl.domain_getinfolist h 0) in
  list ();
  let _, mappings =
    counted "mappings" (fun () ->
        let other = Thread.create (fun () -> Xenctrl.domain_pause h 2) () in
        Thread.delay 0.01;
        list ();
        Thread.join other)
  in
  check_int "a list beside another call" 0 mappings

(* However many large lists were under way at once, and whatever was sent: what stays idle is
   bounded. *)
let test_idle_buffers_are_bounded () =
  Gc.full_major ();
  let before = Counters.get "mapped_bytes" in
  configure "domains=32752,delay=sysctl.getdomaininfolist:100ms";
  let h = Xenctrl.interface_open () in
  let list () = ignore (Xenctrl.domain_getinfolist h 0) in
  let idle () = Counters.get "mapped_bytes" - before in
  List.iter Thread.join (List.init 4 (fun _ -> Thread.create list ()));
  check_bool "of two longest lists" true (idle () <= 2 * 3_680_000);
  check_bool "of one at least" true (idle () >= 3_660_000);
  Xenctrl.send_debug_keys h (String.make 10_000_000 ' ');
  check_bool "of keys, nothing" true (idle () <= 2 * 3_680_000);
  interface_close h;
  check_int "closed" 0 (idle ())

(* Threads that open the process's handle at once end up with the same one. *)
let test_with_intf_race () =
  configure "domains=5,delay=xen_version.version:5ms";
  Xenctrl.close_handle ();
  let handles = Array.make 8 None in
  let threads =
    List.init 8 (fun i ->
        Thread.create (fun () -> handles.(i) <- Some (Xenctrl.with_intf Fun.id)) ())
  in
  List.iter Thread.join threads;
  let same = function Some h -> h == Option.get handles.(0) | None -> false in
  check_bool "one handle" true (Array.for_all same handles)

let () =
  Alcotest.run
    (Printf.sprintf "Xenctrl on %s %s" (if on_sim then "xensim" else "Xen") release)
    [
      ( "handle",
        [
          test "open and close" test_open_close;
          test "handles are collected" test_handles_are_collected;
          test "with_intf" test_with_intf;
          test "fork" test_fork;
          test "daemon" test_daemon;
        ]
        @ sim_only
            [
              test "unsupported hypervisors" test_unsupported;
              test "unprivileged domain" test_unprivileged;
            ] );
      ( "host",
        [
          test "version" test_version; test "physinfo" test_physinfo; test "units" test_units;
        ] );
      ( "domain",
        [
          test "create" test_create;
          test "create at a domid" test_create_at_domid;
          test "arguments of create" test_create_arguments;
          test "HVM" test_hvm;
          test "sethandle" test_sethandle;
          test "max_vcpus" test_max_vcpus;
          test "pause" test_pause;
          test "shutdown" test_shutdown;
          test "setmaxmem" test_setmaxmem;
          test "destroy" test_destroy;
          test "getinfo of none" test_getinfo_of_none;
          test "malformed record" test_malformed;
          test "missing domain" test_missing_domain;
          test "out of range" test_out_of_range;
        ] );
      ( "list",
        list_tests
        @ [ test "varied guests" test_varied_guests ]
        @ sim_only
            [
              test "silent skips" test_silent_skips;
              test "growing count" test_growing_count;
              test "growing buffer" test_growth;
              test "overrun" test_overrun;
            ] );
      ( "heap",
        [
          test "shape" test_shape;
          test "collections" test_collections;
          test "flat memory" test_flat_memory;
        ] );
      ( "faults",
        sim_only [ test "errno" test_faults; test "no memory" test_no_memory ] );
      ( "threads",
        sim_only
          [
            test "the lock is released" test_lock_is_released;
            test "signal handlers that raise" test_signals;
            test "one handle, many threads" test_threads;
            test "buffers are kept" test_buffers_are_kept;
            test "idle buffers are bounded" test_idle_buffers_are_bounded;
            test "with_intf" test_with_intf_race;
          ] );
    ]
