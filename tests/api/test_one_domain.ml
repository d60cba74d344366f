(* One domain, from its creation to its end, and what its functions refuse. *)

open World

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

(* The module's interface has no altp2m_count, which Xen wants since 4.21. *)
let test_altp2m () =
  configure "domains=3";
  let h = Xenctrl.interface_open () in
  let arch : Xenctrl.arch_domainconfig =
    X86 { emulation_flags = [ X86_EMU_LAPIC ]; misc_flags = [] }
  in
  let hvm = { config with flags = [ CDF_HVM; CDF_HAP ]; altp2m_opts = 1l; arch } in
  let create () = Xenctrl.domain_create h hvm in
  if minor < 19 then refused "altp2m" (fun () -> ignore (create ()))
  else if List.mem Xenctrl.CAP_HAP (Xenctrl.physinfo h).capabilities then
    Xenctrl.domain_destroy h (create ())
  else check_string "altp2m without HAP" "22: Invalid argument" (error_of (fun () -> ignore (create ())))

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

let tests =
  [
    test "create" test_create;
    test "create at a domid" test_create_at_domid;
    test "arguments of create" test_create_arguments;
    test "HVM" test_hvm;
    test "altp2m" test_altp2m;
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
  ]
