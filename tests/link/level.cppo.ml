(* What the interfaces of the releases do not share, for a module that was built at one of them. *)

let config =
  Xenctrl.
    {
      ssidref = 0l;
      handle = "00112233-4455-6677-8899-aabbccddeeff";
#if XEN_MINOR >= 21
      flags = [ CDF_HVM; CDF_HAP; CDF_TRAP_UNMAPPED_ACCESSES ];
#else
      flags = [ CDF_HVM; CDF_HAP ];
#endif
      iommu_opts = [];
      max_vcpus = 3;
      max_evtchn_port = -1;
      max_grant_frames = -1;
      max_maptrack_frames = -1;
      max_grant_version = 1;
#if XEN_MINOR >= 20
      altp2m_opts = 0l;
#endif
#if XEN_MINOR >= 21
      altp2m_count = 0l;
#endif
#if XEN_MINOR >= 19
      vmtrace_buf_kb = 0l;
#endif
      cpupool_id = 0l;
      arch = X86 { emulation_flags = [ X86_EMU_LAPIC ]; misc_flags = [] };
    }

let () =
  let h = Xenctrl.with_intf Fun.id in
  Xenctrl.close_handle ();
#if XEN_MINOR < 18
  (match Xenctrl.version h with
  | _ -> assert false
  | exception Xenctrl.Error _ -> ());
#else
  ignore (Xenctrl.version h);
#endif
  let h = Xenctrl.interface_open () in
  let v = Xenctrl.version h in
  assert (Printf.sprintf "%d.%d" v.major v.minor = Sys.argv.(1));
  (match Xenctrl.domain_create h config with
  | domid ->
    Xenctrl.domain_max_vcpus h domid 3;
    let d = Xenctrl.domain_getinfo h domid in
    assert (d.hvm_guest && d.max_vcpu_id = 2 && d.handle.(1) = 0x11);
    assert (List.length (Xenctrl.domain_getinfolist h 0) = 2)
  (* The flag of 4.21 is for Arm. *)
  | exception Xenctrl.Error "22: Invalid argument" when XEN_MINOR >= 21 -> ());
  (match (Xenctrl.physinfo h).arch_capabilities with X86 [] -> () | X86 _ | ARM _ -> assert false);
#if XEN_MINOR >= 18
  let port = Xenctrl.evtchn_alloc_unbound h 0 0 in
  assert (Xenctrl.evtchn_status h 0 port = Some { vcpu = 0; status = EVTCHNSTAT_unbound 0 });
#else
  Xenctrl.interface_close h;
#endif
  ()
