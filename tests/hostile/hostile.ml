(* Every external with any arguments, on xensim: it gives an answer that can be, or raises one of
   the exceptions that it may; and where that is Invalid_argument no hypercall was made.

     hostile [OPTION OF QCHECK...]    --list: the externals' symbols alone

   HOSTILE_CASES: how many for each (2000). *)

open Test_support
open Test_externals.Externals

let cases =
  match Sys.getenv_opt "HOSTILE_CASES" with Some n -> int_of_string n | None -> 2000

let release =
  match Sys.getenv_opt "TEST_XEN_RELEASE" with Some release -> release | None -> "4.20"

(* Domid 1 to 19 are guests of all kinds. *)
let spec =
  Printf.sprintf "version=%s,domains=20,domids=dense,strict=yes,scheduler=credit,cpus=16,pci=0000:03:00.0"
    release

(* {1 Generators} *)

open QCheck

let edges =
  List.concat_map
    (fun n -> [ n - 1; n; n + 1 ])
    [
      0; 16; 64; 128; 256; 4096; 0x7ff0; 0x8000; 0x10000; 1 lsl 24; 1 lsl 31; 1 lsl 32; 1 lsl 44;
      1 lsl 52; max_int;
    ]

let any_int = Gen.(frequency [ (3, int_bound 20); (3, oneofl edges); (1, int); (1, map (~-) (oneofl edges)) ])
let any_domid = Gen.(frequency [ (4, int_bound 19); (1, any_int) ])

let any_int64 =
  Gen.(
    oneof
      [
        map Int64.of_int any_int; oneofl [ Int64.min_int; Int64.max_int; 0x3f_ffff_ffff_ffffL ];
        map Int64.of_int int;
      ])

let any_int32 = Gen.map Int64.to_int32 any_int64
let any_frame = Gen.map Int64.to_nativeint any_int64
let length = Gen.(frequency [ (10, int_bound 40); (3, int_bound 2000); (1, int_bound 300_000) ])
let any_text = Gen.string_size ~gen:Gen.char length

(* A UUID, often with one thing wrong. *)
let uuid =
  Gen.(
    let hex = oneofl (List.init 22 (String.get "0123456789abcdefABCDEF")) in
    let right = map (fun s -> String.mapi (fun i c -> if List.mem i [ 8; 13; 18; 23 ] then '-' else c) s) (string_size ~gen:hex (return 36)) in
    frequency
      [
        (4, right);
        ( 2,
          map3 (fun s at c -> String.mapi (fun i old -> if i = at then c else old) s) right
            (int_bound 35) char );
        (1, map2 (fun s n -> String.sub s 0 n) right (int_bound 36));
        (1, map2 ( ^ ) right any_text);
        (1, any_text);
      ])

let some_of all = Gen.(list_size (frequency [ (8, int_bound 4); (1, int_bound 3000) ]) (oneofl all))

let config =
  let open Xenctrl in
  let open Gen in
  let mostly usual any = frequency [ (6, return usual); (1, any) ] in
  let arch =
    frequency
      [
        ( 8,
          map2
            (fun emulation_flags misc_flags -> (X86 { emulation_flags; misc_flags } : arch_domainconfig))
            (mostly []
               (some_of
                  [
                    X86_EMU_LAPIC; X86_EMU_HPET; X86_EMU_PM; X86_EMU_RTC; X86_EMU_IOAPIC;
                    X86_EMU_PIC; X86_EMU_VGA; X86_EMU_IOMMU; X86_EMU_PIT; X86_EMU_USE_PIRQ;
                    X86_EMU_VPCI;
                  ]))
            (mostly [] (some_of [ X86_MSR_RELAXED ])) );
        ( 1,
          map3
            (fun gic_version nr_spis clock_frequency ->
              (ARM { gic_version; nr_spis; clock_frequency } : arch_domainconfig))
            any_int any_int any_int32 );
      ]
  in
  let* handle = uuid in
  let* flags =
    mostly []
      (some_of
         [
           CDF_HVM; CDF_HAP; CDF_S3_INTEGRITY; CDF_OOS_OFF; CDF_XS_DOMAIN; CDF_IOMMU;
           CDF_NESTED_VIRT; CDF_VPMU;
         ])
  in
  let* iommu_opts = mostly [] (some_of [ IOMMU_NO_SHAREPT ]) in
  let* max_vcpus = mostly 1 any_int in
  let* max_evtchn_port = mostly (-1) any_int in
  let* max_grant_frames = mostly (-1) any_int in
  let* max_maptrack_frames = mostly (-1) any_int in
  let* max_grant_version = mostly 1 any_int in
  let* altp2m_opts = mostly 0l any_int32 in
  let* vmtrace_buf_kb = mostly 0l any_int32 in
  let* cpupool_id = mostly 0l any_int32 in
  let* ssidref = mostly 0l any_int32 in
  let* arch = arch in
  return
    {
      ssidref; handle; flags; iommu_opts; max_vcpus; max_evtchn_port; max_grant_frames;
      max_maptrack_frames; max_grant_version; altp2m_opts; vmtrace_buf_kb; cpupool_id; arch;
    }

let arguments =
  let open Gen in
  let* domid = any_domid in
  let* remote = oneof [ int_bound 19; any_int ] in
  let* n = any_int in
  let* m = any_int in
  let* quad =
    oneof
      [ return (0, 3, 0, 0); map3 (fun a b (c, d) -> (a, b, c, d)) any_int any_int (pair any_int any_int) ]
  in
  let* int32 = any_int32 in
  let* int64 = any_int64 in
  let* frame = any_frame in
  let* frames = any_frame in
  let* flag = bool in
  let* flags = array_size length bool in
  let* text = any_text in
  let* uuid = uuid in
  let* choice = any_int in
  let* config = config in
  return
    { domid; remote; n; m; quad; int32; int64; frame; frames; flag; flags; text; uuid; choice; config }

let print a =
  let abridged s = if String.length s <= 60 then s else String.sub s 0 60 ^ "..." in
  let c = a.config in
  let q, r, s, t = a.quad in
  Printf.sprintf
    "domid %d, remote %d, n %d, m %d, quad %d %d %d %d, int32 %ld, int64 %Ld, frame %nd, frames %nd, \
     flag %b, %d flags, text (%d) %S, uuid %S, choice %d; config: handle %S, %d flags, max_vcpus %d, \
     ports %d, grants %d %d %d, altp2m %ld, vmtrace %ld, cpupool %ld"
    a.domid a.remote a.n a.m q r s t a.int32 a.int64 a.frame a.frames a.flag (Array.length a.flags)
    (String.length a.text) (abridged a.text) (abridged a.uuid) a.choice (abridged c.handle)
    (List.length c.flags) c.max_vcpus c.max_evtchn_port c.max_grant_frames c.max_maptrack_frames
    c.max_grant_version c.altp2m_opts c.vmtrace_buf_kb c.cpupool_id

(* {1 Properties} *)

(* A hypervisor now and then, since the calls change it, and a handle that knows how many pCPUs
   there are. *)
let fresh () =
  Xensim.configure spec;
  let h = Xenctrl.interface_open () in
  ignore (Xenctrl.vcpu_affinity_get h 0 0);
  h

let number_begins message = match Scanf.sscanf message "%d: " Fun.id with n -> n > 0 | exception _ -> false

let property { name; fails; call } =
  let h = ref None and calls = ref 0 in
  Test.make ~count:cases ~name (make ~print arguments) (fun a ->
      if !calls mod 200 = 0 then h := Some (fresh ());
      incr calls;
      let h = Option.get !h in
      Counters.reset ();
      (match call h a with
      | () -> ()
      | exception Invalid_argument message ->
        let made = Counters.get "hypercalls" in
        if made <> 0 then Test.fail_reportf "%d hypercalls, then Invalid_argument %S" made message
      | exception Xenctrl.Error message ->
        if not (number_begins message) then Test.fail_reportf "Error %S" message
      | exception Failure message -> if not fails then Test.fail_reportf "Failure %S" message);
      true)

let () =
  match Sys.argv with
  | [| _; "--list" |] -> List.iter (fun { name; _ } -> print_endline name) all
  | _ -> QCheck_base_runner.run_tests_main (List.map property all)
