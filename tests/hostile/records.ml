open Test_support

(* The constructors that the bits of a word number, the greatest first, as upstream lists them. *)
let of_bits constructors bits =
  List.rev (List.filteri (fun i _ -> bits land (1 lsl i) <> 0) constructors)

let all_emulation_flags =
  Xenctrl.
    [
      X86_EMU_LAPIC; X86_EMU_HPET; X86_EMU_PM; X86_EMU_RTC; X86_EMU_IOAPIC; X86_EMU_PIC;
      X86_EMU_VGA; X86_EMU_IOMMU; X86_EMU_PIT; X86_EMU_USE_PIRQ; X86_EMU_VPCI;
    ]

(* The record that libxenctrl's answer is in OCaml. *)
let expected (o : Oracle.raw) =
  let flag bit = o.flags land (1 lsl bit) <> 0 in
  Xenctrl.
    {
      domid = o.domid;
      dying = flag 0;
      hvm_guest = flag 1;
      shutdown = flag 2;
      paused = flag 3;
      blocked = flag 4;
      running = flag 5;
      shutdown_code = (o.flags lsr 16) land 255;
      total_memory_pages = Int64.to_nativeint o.tot_pages;
      max_memory_pages = Int64.to_nativeint o.max_pages;
      shared_info_frame = o.shared_info_frame;
      cpu_time = o.cpu_time;
      nr_online_vcpus = o.nr_online_vcpus;
      max_vcpu_id = o.max_vcpu_id;
      ssidref = Int64.to_int32 o.ssidref;
      handle = Array.init 16 (fun i -> Char.code o.handle.[i]);
      arch_config =
        X86
          {
            emulation_flags = of_bits all_emulation_flags o.emulation_flags;
            misc_flags = of_bits [ X86_MSR_RELAXED ] o.misc_flags;
          };
    }

(* What time changes, taken out: CPU time, and whether a vCPU runs just now. *)
let still (d : Xenctrl.domaininfo) = { d with cpu_time = 0L; running = false; blocked = false }
