(* What the hypervisor and the host say of themselves. *)

open Test_support
open Test_externals.Records
open World

let cut most text = String.sub text 0 (min most (String.length text))

let test_version () =
  configure "";
  let h = Xenctrl.interface_open () and oracle = Oracle.open_ () in
  let v = Xenctrl.version h in
  check_string "release" release (Printf.sprintf "%d.%d" v.major v.minor);
  check_int "packed" (Oracle.version oracle) ((v.major lsl 16) lor v.minor);
  (* In a real Xen they may be longer than what libxenctrl is asked for here. *)
  check_string "extra" (Oracle.extraversion oracle) (cut 15 v.extra);
  let ours = Xenctrl.version_compile_info h and theirs = Oracle.compile_info oracle in
  check_string "compiler" theirs.compiler ours.compiler;
  check_string "compile_by" theirs.compile_by ours.compile_by;
  check_string "compile_domain" theirs.compile_domain ours.compile_domain;
  check_string "compile_date" theirs.compile_date ours.compile_date;
  check_bool "compiler" true (ours.compiler <> "");
  check_string "changeset" (Oracle.changeset oracle) (cut 63 (Xenctrl.version_changeset h));
  let capabilities = Xenctrl.version_capabilities h in
  check_string "capabilities" (Oracle.capabilities oracle) (cut 1023 capabilities);
  check_prefix "xen-3.0-x86_64" capabilities;
  Oracle.close oracle

(* Texts of any length: whole where the hypervisor has operations for that, cut where it has not. *)
let test_long_texts () =
  let check ~cuts spec length =
    let what = Printf.sprintf "%d characters, %s" length spec in
    let text = String.init length (fun i -> Char.chr (Char.code 'a' + (i * i mod 26))) in
    configure (Printf.sprintf "extra_version=%s,changeset=%s%s" text text spec);
    let h = Xenctrl.interface_open () and oracle = Oracle.open_ () in
    (* Only the first call finds out which operations there are. *)
    ignore (Xenctrl.version_capabilities h);
    Counters.reset ();
    let v = Xenctrl.version h in
    check_string what (if cuts then cut 15 text else text) v.extra;
    check_int what minor v.minor;
    check_string what (if cuts then cut 63 text else text) (Xenctrl.version_changeset h);
    (* What does not fit is asked for again, once: the larger buffer stays with the handle. *)
    let fits = 32508 in
    check_int (what ^ ": hypercalls")
      (if cuts || length <= fits then 3 else 4)
      (Counters.get "hypercalls");
    check_string what (Oracle.extraversion oracle) (cut 15 v.extra);
    check_string what (Oracle.changeset oracle) (cut 63 (Xenctrl.version_changeset h));
    Oracle.close oracle;
    interface_close h
  in
  (* Around what the shorter operations, one allocation of OCaml's, and one buffer hold. *)
  let lengths =
    [ 0; 1; 14; 15; 16; 62; 63; 64; 2014; 2015; 2016; 2047; 2048; 32508; 32509; 65535; 65536 ]
  in
  List.iter (check ~cuts:(minor < 20) "") lengths;
  (* A Xen from 4.20 on has them all, another may lack them. *)
  List.iter
    (check ~cuts:true
       (String.concat ""
          (List.map
             (fun op -> Printf.sprintf ",fault=xen_version.%s2:ENOSYS" op)
             [ "extraversion"; "changeset"; "capabilities" ])))
    lengths

(* Xen's own limit. *)
let test_too_long_texts () =
  if minor >= 20 then begin
    configure (Printf.sprintf "extra_version=%s" (String.make 65537 'x'));
    let h = Xenctrl.interface_open () in
    check_string "too long" "7: Argument list too long"
      (error_of (fun () -> ignore (Xenctrl.version h)));
    check_prefix "xen" (Xenctrl.version_capabilities h);
    interface_close h
  end

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

let tests =
  [ test "version" test_version; test "physinfo" test_physinfo; test "units" test_units ]
  @ sim_only
      [ test "long texts" test_long_texts; test "texts that are too long" test_too_long_texts ]
