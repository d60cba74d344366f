(* Guests that execute, in a real Xen: what the hypervisor says of a domain that runs, waits, shuts
   itself down, goes on and dies. The simulated hypervisor executes nothing, so that nothing is
   listed there. *)

open Test_support
open World

let domctl = match minor with 17 -> 0x15 | 18 -> 0x16 | 19 | 20 | 21 -> 0x17 | _ -> 0x18
let page = Xenmmap.getpagesize ()
let nativeint = Alcotest.testable (fun ppf n -> Format.fprintf ppf "%nd" n) Nativeint.equal

(* {1 What guests execute}

   The first page stays empty; [code] is the second, where a guest begins. *)

let code = 0x1000
let argument = 0x2000
let results = 0x3000
let frames = 16

(* jmp to itself *)
let spin = "\xeb\xfe"

(* A mark at [results], the sign that it got so far; then sti; hlt; and again, should an interrupt
   come. *)
let halt = "\xc6\x05\x00\x30\x00\x00\x01" (* mov byte [results], 1 *) ^ "\xfb\xf4\xeb\xfd"

(* sched_op (29), SCHEDOP_shutdown (2), with the structure at [argument], which is no more than the
   reason. What a guest that goes on then does: it writes what the hypercall returned to [results],
   and counts in the word after that. *)
let shut_down =
  String.concat ""
    [
      "\xb8\x1d\x00\x00\x00" (* mov eax, 29 *);
      "\xbb\x02\x00\x00\x00" (* mov ebx, 2 *);
      "\xb9\x00\x20\x00\x00" (* mov ecx, argument *);
      "\x0f\x01\xd9" (* vmmcall *);
      "\xa3\x00\x30\x00\x00" (* mov [results], eax *);
      "\xff\x05\x04\x30\x00\x00" (* inc dword [results + 4] *);
      "\xeb\xf8" (* jmp to the inc *);
    ]

let map h domid address = Xenctrl.map_foreign_range h domid page (Nativeint.of_int (address / page))

let poke h domid address bytes =
  let m = map h domid address in
  Fun.protect ~finally:(fun () -> Xenmmap.unmap m) (fun () -> Xenmmap.write m bytes 0)

let word n =
  let b = Bytes.create 4 in
  Bytes.set_int32_le b 0 n;
  Bytes.to_string b

let word_at m offset = String.get_int32_le (Xenmmap.read m offset 4) 0

(* {1 Guests} *)

let guest_config vcpus =
  Xenctrl.
    {
      config with
      flags = [ CDF_HVM; CDF_HAP ];
      max_vcpus = vcpus;
      handle = uuid_of_domid 0x9e57;
      arch = X86 { emulation_flags = [ X86_EMU_LAPIC ]; misc_flags = [] };
    }

let listed h domid =
  List.find_opt (fun (d : Xenctrl.domaininfo) -> d.domid = domid) (Xenctrl.domain_getinfolist h 0)

(* A guest about to execute [program] on its vCPU 0, paused; gone at the end, whatever happens. *)
let with_guest ?(vcpus = 1) program f =
  let h = Xenctrl.interface_open () in
  let domid = Xenctrl.domain_create h (guest_config vcpus) in
  Fun.protect
    ~finally:(fun () ->
      (try Xenctrl.domain_destroy h domid with Xenctrl.Error _ -> ());
      wait_until "the end of the guest" (fun () -> listed h domid = None))
    (fun () ->
      Xenctrl.domain_max_vcpus h domid vcpus;
      Xenctrl.domain_setmaxmem h domid 4096L;
      Xenctrl.shadow_allocation_set h domid 4;
      Guest.populate domid frames;
      poke h domid code program;
      Guest.start ~domctl domid ~vcpu:0 code;
      f h domid)

let info = Xenctrl.domain_getinfo
let sleep seconds = ignore (Unix.select [] [] [] seconds)

(* The states that libxenctrl's list has for the domain. *)
let oracle_flags domid =
  let o = Oracle.open_ () in
  Fun.protect
    ~finally:(fun () -> Oracle.close o)
    (fun () ->
      match Oracle.list o ~first:domid ~max:1 with
      | [| raw |] when raw.domid = domid -> raw.flags
      | _ -> Alcotest.failf "libxenctrl does not list %d" domid)

let flags_of (d : Xenctrl.domaininfo) =
  List.fold_left
    (fun flags (bit, set) -> if set then flags lor (1 lsl bit) else flags)
    (d.shutdown_code lsl 16)
    [
      (0, d.dying); (1, d.hvm_guest); (2, d.shutdown); (3, d.paused); (4, d.blocked);
      (5, d.running);
    ]

(* Of a domain whose state does not change meanwhile: the list, the single answer and libxenctrl
   say the same. *)
let check_agreed h domid =
  let single = info h domid in
  check_bool "as listed" true (listed h domid = Some single);
  if oracle_lists then
    check_int "as libxenctrl has it" (flags_of single) (oracle_flags domid land 0xff003f)

let check_still what (time : unit -> int64) =
  let before = time () in
  sleep 0.1;
  Alcotest.(check int64) what before (time ())

let check_grows what (time : unit -> int64) =
  let before = time () in
  wait_until what (fun () -> time () > Int64.add before 10_000_000L)

let cpu_time h domid () = (info h domid).cpu_time
let vcpu_time h domid () = (Xenctrl.domain_get_vcpuinfo h domid 0).cputime

(* {1 Running} *)

let test_new () =
  with_guest spin (fun h domid ->
      let d = info h domid in
      check_bool "a paused HVM guest" true (d.paused && d.hvm_guest);
      check_bool "alive" false (d.dying || d.shutdown);
      check_bool "not running, not blocked" false (d.running || d.blocked);
      check_int "no shutdown code" 255 d.shutdown_code;
      check_int "online" 1 d.nr_online_vcpus;
      check_int "vCPU 0" 0 d.max_vcpu_id;
      Alcotest.check nativeint "its memory" (Nativeint.of_int frames) d.total_memory_pages;
      Alcotest.check nativeint "its limit" 1024n d.max_memory_pages;
      Alcotest.(check int64) "no time" 0L d.cpu_time;
      check_agreed h domid)

let test_running () =
  with_guest spin (fun h domid ->
      Xenctrl.domain_unpause h domid;
      check_grows "the domain's time" (cpu_time h domid);
      check_grows "the vCPU's time" (vcpu_time h domid);
      let d = info h domid in
      check_bool "neither paused nor blocked" false (d.paused || d.blocked || d.shutdown);
      check_int "online" 1 d.nr_online_vcpus;
      let v = Xenctrl.domain_get_vcpuinfo h domid 0 in
      check_bool "the vCPU is online" true v.online;
      check_bool "and not blocked" false v.blocked;
      (* On a host of one pCPU nobody but the one who asks runs. *)
      if (Xenctrl.physinfo h).nr_cpus > 1 then begin
        wait_until "running" (fun () -> (info h domid).running);
        wait_until "running, in the list" (fun () ->
            match listed h domid with Some d -> d.running | None -> false);
        wait_until "the vCPU running" (fun () -> (Xenctrl.domain_get_vcpuinfo h domid 0).running);
        if oracle_lists then
          wait_until "running, for libxenctrl" (fun () -> oracle_flags domid land (1 lsl 5) <> 0)
      end;
      (* Paused, it stands still, and then it goes on. *)
      Xenctrl.domain_pause h domid;
      let d = info h domid in
      check_bool "paused" true d.paused;
      check_bool "not running" false (d.running || d.blocked);
      check_still "the time of a paused domain" (cpu_time h domid);
      check_still "the time of its vCPU" (vcpu_time h domid);
      check_agreed h domid;
      Xenctrl.domain_unpause h domid;
      check_grows "the time again" (cpu_time h domid))

(* Blocked, and off its pCPU. *)
let wait_for_halt h domid =
  wait_until "waiting" (fun () ->
      let d = info h domid in
      d.blocked && not d.running)

let test_halted () =
  with_guest halt (fun h domid ->
      Xenctrl.domain_unpause h domid;
      wait_for_halt h domid;
      let d = info h domid in
      check_bool "neither paused nor shut down" false (d.paused || d.shutdown);
      check_int "online" 1 d.nr_online_vcpus;
      let v = Xenctrl.domain_get_vcpuinfo h domid 0 in
      check_bool "the vCPU is online" true v.online;
      check_bool "the vCPU waits" true v.blocked;
      check_bool "and does not run" false v.running;
      (* Its time would not tell: where the pCPUs' clocks differ, as emulated ones do, a run this
         short can count as nothing. *)
      let m = map h domid results in
      Fun.protect
        ~finally:(fun () -> Xenmmap.unmap m)
        (fun () -> Alcotest.(check int32) "it has run" 1l (word_at m 0));
      check_still "the time of one that waits" (cpu_time h domid);
      check_still "the time of its vCPU" (vcpu_time h domid);
      check_agreed h domid;
      (* Both at once. *)
      Xenctrl.domain_pause h domid;
      let d = info h domid in
      check_bool "paused and blocked" true (d.paused && d.blocked);
      check_agreed h domid)

(* A vCPU that is offline does not count, and does not make the others' state another. *)
let test_offline () =
  with_guest ~vcpus:2 halt (fun h domid ->
      let d = info h domid in
      check_int "online" 1 d.nr_online_vcpus;
      check_int "the last" 1 d.max_vcpu_id;
      check_bool "vCPU 0" true (Xenctrl.domain_get_vcpuinfo h domid 0).online;
      let v = Xenctrl.domain_get_vcpuinfo h domid 1 in
      check_bool "vCPU 1" false (v.online || v.running);
      check_string "vCPU 1 was never given registers" "61: No data available"
        (error_of (fun () -> ignore (Xenctrl.vcpu_context_get h domid 1)));
      Xenctrl.domain_unpause h domid;
      wait_for_halt h domid;
      check_int "online" 1 (info h domid).nr_online_vcpus;
      check_bool "vCPU 1 has not run" true
        ((Xenctrl.domain_get_vcpuinfo h domid 1).cputime = 0L);
      check_agreed h domid)

(* {1 The vCPU} *)

(* In a vcpu_guest_context_t. *)
let rax_offset = 600
let rip_offset = 648

let test_context () =
  with_guest shut_down (fun h domid ->
      let context = Xenctrl.vcpu_context_get h domid 0 in
      check_int "bytes" 5168 (String.length context);
      check_bool "about to begin" true (String.get_int64_le context rip_offset = Int64.of_int code);
      poke h domid argument (word 2l);
      Xenctrl.domain_unpause h domid;
      wait_until "shut down" (fun () -> (info h domid).shutdown);
      let context = Xenctrl.vcpu_context_get h domid 0 in
      check_int "bytes" 5168 (String.length context);
      Alcotest.(check int64) "after the hypercall" (Int64.of_int (code + 18))
        (String.get_int64_le context rip_offset);
      Alcotest.(check int64) "which returned" 0L (String.get_int64_le context rax_offset))

let test_affinity () =
  with_guest spin (fun h domid ->
      let cpus = (Xenctrl.physinfo h).max_nr_cpus in
      let online = (Xenctrl.physinfo h).nr_cpus in
      Xenctrl.domain_unpause h domid;
      for cpu = 0 to online - 1 do
        let only = Array.init cpus (fun i -> i = cpu) in
        Xenctrl.vcpu_affinity_set h domid 0 only;
        Alcotest.(check (array bool)) "as set" only (Xenctrl.vcpu_affinity_get h domid 0);
        wait_until "that pCPU" (fun () ->
            (Xenctrl.domain_get_vcpuinfo h domid 0).cpumap = Int32.of_int cpu);
        check_grows "the time there" (vcpu_time h domid)
      done)

(* {1 Shutting down} *)

let einval = "22: Invalid argument"

let check_shut_down h domid reason =
  (* With more than one pCPU, the vCPU is seen to run for a moment after its domain is shut down:
     it is still on its way out of the hypercall. *)
  wait_until "shut down" (fun () ->
      let d = info h domid in
      d.shutdown && not d.running);
  let d = info h domid in
  check_int "the reason" reason d.shutdown_code;
  check_bool "not dying, not paused" false (d.dying || d.paused);
  check_still "the time of one that is shut down" (cpu_time h domid);
  check_agreed h domid

let reasons = Xenctrl.[ Poweroff; Reboot; Suspend; Crash; Watchdog; Soft_reset ]

let test_own_shutdown () =
  List.iteri
    (fun number _ ->
      with_guest shut_down (fun h domid ->
          poke h domid argument (word (Int32.of_int number));
          Xenctrl.domain_unpause h domid;
          check_shut_down h domid number;
          if number <> 2 then
            check_string "not suspended" einval
              (error_of (fun () -> Xenctrl.domain_resume_fast h domid))))
    reasons

(* By the toolstack, while the guest executes: the same numbers. *)
let test_remote_shutdown () =
  List.iteri
    (fun number reason ->
      with_guest spin (fun h domid ->
          Xenctrl.domain_unpause h domid;
          check_grows "the time" (cpu_time h domid);
          Xenctrl.domain_shutdown h domid reason;
          check_shut_down h domid number))
    reasons

(* {1 Resuming} *)

(* A guest that has told where it wants its interrupts finds 1 in its register, the sign of an
   environment that stayed; the registers of one without drivers are left alone. *)
let check_resumed ~callback expected =
  with_guest shut_down (fun h domid ->
      if callback then
        (* By vector, 0xf3. *)
        Xenctrl.hvm_param_set h domid HVM_PARAM_CALLBACK_IRQ 0x0200_0000_0000_00f3L;
      check_string "not shut down" einval
        (error_of (fun () -> Xenctrl.domain_resume_fast h domid));
      poke h domid argument (word 2l);
      poke h domid results (word (-1l));
      let m = map h domid results in
      Fun.protect
        ~finally:(fun () -> Xenmmap.unmap m)
        (fun () ->
          Xenctrl.domain_unpause h domid;
          check_shut_down h domid 2;
          Alcotest.(check int32) "has not gone on" (-1l) (word_at m 0);
          Alcotest.(check int32) "does not count" 0l (word_at m 4);
          Xenctrl.domain_resume_fast h domid;
          wait_until "counting" (fun () -> word_at m 4 > 0l);
          Alcotest.(check int32) "the hypercall's result" expected (word_at m 0);
          let d = info h domid in
          check_bool "not shut down" false (d.shutdown || d.paused || d.blocked);
          check_int "no shutdown code" 255 d.shutdown_code;
          check_int "online" 1 d.nr_online_vcpus;
          check_grows "the time" (cpu_time h domid);
          check_string "not shut down" einval
            (error_of (fun () -> Xenctrl.domain_resume_fast h domid));
          (* What one sees of its memory is what there is. *)
          Xenctrl.domain_pause h domid;
          let count = word_at m 4 in
          sleep 0.05;
          Alcotest.(check int32) "no more counting" count (word_at m 4)))

let test_resume () = check_resumed ~callback:false 0l
let test_resume_drivers () = check_resumed ~callback:true 1l

(* {1 Dying} *)

let test_dying () =
  with_guest spin (fun h domid ->
      Xenctrl.domain_unpause h domid;
      check_grows "the time" (cpu_time h domid);
      let m = map h domid code in
      Fun.protect
        ~finally:(fun () -> Xenmmap.unmap m)
        (fun () ->
          check_string "its code" spin (Xenmmap.read m 0 2);
          Xenctrl.domain_destroy h domid;
          let dying () = match listed h domid with Some d -> d.dying | None -> false in
          check_bool "dying" true (dying ());
          let d = info h domid in
          check_bool "for getinfo as well" true d.dying;
          check_bool "not running" false d.running;
          Alcotest.check nativeint "the page that is mapped" 1n d.total_memory_pages;
          check_still "the time of one that dies" (cpu_time h domid);
          check_agreed h domid;
          check_bool "still" true (dying ());
          check_string "its memory stays" spin (Xenmmap.read m 0 2));
      wait_until "the end of the guest" (fun () -> listed h domid = None);
      check_string "gone" esrch (error_of (fun () -> ignore (info h domid))))

let () =
  Alcotest.run
    (Printf.sprintf "Guests that execute on Xen %s" release)
    (if on_sim then []
    else
      [
        ( "running",
          [
            test "new" test_new;
            test "running and paused" test_running;
            test "waiting" test_halted;
            test "a vCPU offline" test_offline;
          ] );
        ("vCPU", [ test "context" test_context; test "affinity" test_affinity ]);
        ( "shutdown",
          [
            test "by itself" test_own_shutdown;
            test "by the toolstack" test_remote_shutdown;
            test "resume" test_resume;
            test "resume, with drivers" test_resume_drivers;
            test "dying" test_dying;
          ] );
      ])
