(* Every external in random order, on many domains that come and go, for minutes; answers are
   compared with libxenctrl's. In a real Xen of the release of the build machine's libxenctrl, whose
   domctls it can make (Debian 12: 4.17).

     soak SECONDS DOMAINS [SEED]

   Nobody else changes a domain meanwhile, so that answers of two libraries that are asked in turn
   are equal, but for what time changes. Left out, since the machine would not survive it: dom0 as
   the domain of anything that changes one (resetting its event channels stops it), watchdogs (a
   timer of 0 seconds fires at once), debug keys other than help (some reboot), devices (there are
   none). *)

open Test_support
open Test_externals

let seconds, domains, seed =
  match Sys.argv with
  | [| _; seconds; domains |] ->
    Random.self_init ();
    (float_of_string seconds, int_of_string domains, Random.bits ())
  | [| _; seconds; domains; seed |] ->
    (float_of_string seconds, int_of_string domains, int_of_string seed)
  | _ ->
    prerr_endline "usage: soak SECONDS DOMAINS [SEED]";
    exit 2

let () = Random.init seed
let h = Xenctrl.interface_open ()
let oracle = Oracle.open_ ()
let fail fmt = Printf.ksprintf (fun text -> failwith (Printf.sprintf "seed %d: %s" seed text)) fmt

(* {1 The domains} *)

let uuid n = Printf.sprintf "50a40000-0000-4000-8000-%012x" n
let made : (int, string) Hashtbl.t = Hashtbl.create 1000 (* domid, uuid *)
let counter = ref 0
let hap = List.mem Xenctrl.CAP_HAP (Xenctrl.physinfo h).capabilities

let config uuid =
  let hvm = hap && Random.int 4 = 0 in
  {
    (if hvm then Guest_config.hvm uuid [ X86_EMU_LAPIC ] else Guest_config.pv uuid) with
    max_vcpus = 1 + Random.int 2;
  }

let create () =
  incr counter;
  let handle = uuid !counter in
  let config = config handle in
  let domid = Xenctrl.domain_create h config in
  if Hashtbl.mem made domid then fail "domid %d twice" domid;
  Hashtbl.replace made domid handle;
  if Random.bool () then Xenctrl.domain_max_vcpus h domid config.max_vcpus;
  Xenctrl.domain_setmaxmem h domid 1024L

(* {1 What both libraries say} *)

let text_of_handle (d : Xenctrl.domaininfo) =
  let hex = String.concat "" (Array.to_list (Array.map (Printf.sprintf "%02x") d.handle)) in
  let part at length = String.sub hex at length in
  String.concat "-" [ part 0 8; part 8 4; part 12 4; part 16 4; part 20 12 ]

let check_list () =
  let ours = Xenctrl.domain_getinfolist h 0 in
  let theirs = List.map Records.expected (Array.to_list (Oracle.list oracle ~first:0 ~max:32752)) in
  if List.map Records.still ours <> List.map Records.still theirs then fail "the lists differ";
  (* What is being destroyed may be listed for a moment. *)
  let live = List.filter (fun (d : Xenctrl.domaininfo) -> d.domid <> 0 && not d.dying) ours in
  if List.length live <> Hashtbl.length made then
    fail "%d domains, not %d" (List.length live) (Hashtbl.length made);
  List.iter
    (fun (d : Xenctrl.domaininfo) ->
      if Hashtbl.find_opt made d.domid <> Some (text_of_handle d) then
        fail "domain %d is %s" d.domid (text_of_handle d))
    live

(* Numbers, or the number of the error. *)
let compare_answers question domid n ours =
  let ours =
    match ours () with
    | numbers -> Ok numbers
    | exception Xenctrl.Error message -> Error (Scanf.sscanf message "%d:" Fun.id)
  and theirs =
    match Oracle.ask oracle question domid n with
    | numbers -> Ok (Array.to_list (Array.map Int64.to_int numbers))
    | exception Oracle.Error (errno, _) -> Error errno
  in
  if ours <> theirs then
    let show = function
      | Ok numbers -> String.concat " " (List.map string_of_int numbers)
      | Error errno -> Printf.sprintf "errno %d" errno
    in
    fail "%s of domain %d, %d: %s, libxenctrl: %s" question domid n (show ours) (show theirs)

let check_one domid =
  let of_bool b = if b then 1 else 0 in
  (match (Xenctrl.domain_getinfo h domid, Oracle.list oracle ~first:domid ~max:1) with
  | ours, [| theirs |] ->
    if Records.still ours <> Records.still (Records.expected theirs) then fail "domain %d" domid
  | _ -> fail "domain %d is not listed" domid
  | exception Xenctrl.Error "3: No such process" ->
    if Hashtbl.mem made domid then fail "domain %d is missing" domid);
  for vcpu = 0 to 2 do
    compare_answers "vcpu_getinfo" domid vcpu (fun () ->
        let i = Xenctrl.domain_get_vcpuinfo h domid vcpu in
        [
          of_bool i.online; of_bool i.blocked; of_bool i.running; Int64.to_int i.cputime;
          Int32.to_int i.cpumap;
        ]);
    compare_answers "vcpu_getaffinity" domid vcpu (fun () ->
        List.map of_bool (Array.to_list (Xenctrl.vcpu_affinity_get h domid vcpu)))
  done;
  compare_answers "shadow_allocation" domid 0 (fun () -> [ Xenctrl.shadow_allocation_get h domid ]);
  List.iter
    (fun (n, param) ->
      compare_answers "hvm_param_get" domid n (fun () ->
          [ Int64.to_int (Xenctrl.hvm_param_get h domid param) ]))
    Xenctrl.[ (1, HVM_PARAM_STORE_PFN); (17, HVM_PARAM_CONSOLE_PFN); (4, HVM_PARAM_PAE_ENABLED) ];
  for port = 1 to 3 do
    compare_answers "evtchn_status" domid port (fun () ->
        match Xenctrl.evtchn_status h domid port with
        | None -> [ 0; 0; 0 ]
        | Some { vcpu; status = EVTCHNSTAT_unbound remote } -> [ 1; vcpu; remote ]
        | Some _ -> fail "a status that nothing here has")
  done

let check_host () =
  let v = Xenctrl.version h and c = Xenctrl.version_compile_info h in
  let theirs = Oracle.compile_info oracle in
  let same what a b = if a <> b then fail "%s: %S, libxenctrl: %S" what a b in
  if (v.major lsl 16) lor v.minor <> Oracle.version oracle then fail "the version";
  (* Which libxenctrl is asked for where they are cut. *)
  let cut most text = String.sub text 0 (min most (String.length text)) in
  same "extraversion" (cut 15 v.extra) (Oracle.extraversion oracle);
  same "compiler" c.compiler theirs.compiler;
  same "date" c.compile_date theirs.compile_date;
  same "changeset" (cut 63 (Xenctrl.version_changeset h)) (Oracle.changeset oracle);
  same "capabilities" (cut 1023 (Xenctrl.version_capabilities h)) (Oracle.capabilities oracle);
  compare_answers "sched_id" 0 0 (fun () -> [ Xenctrl.sched_id h ]);
  let p = Xenctrl.physinfo h and o = Oracle.physinfo oracle in
  if
    (p.nr_cpus, p.max_nr_cpus, p.cpu_khz, Int64.of_nativeint p.total_pages)
    <> (o.nr_cpus, o.max_cpu_id + 1, o.cpu_khz, o.total_pages)
  then fail "physinfo"

(* {1 Random calls} *)

let left_out =
  [
    "stub_xc_watchdog"; "stub_xc_domain_destroy"; "stub_xc_domain_create";
    "stub_xc_domain_assign_device"; "stub_xc_domain_deassign_device";
  ]

let externals =
  List.filter (fun (e : Externals.t) -> not (List.mem e.name left_out)) Externals.all
  |> Array.of_list

let calls : (string, int * int) Hashtbl.t = Hashtbl.create 64 (* answered, raised *)

let any_domid () =
  let all = Hashtbl.length made in
  if Random.int 20 = 0 then 31000 + Random.int 1000
  else begin
    let nth = ref (Random.int all) and domid = ref 0 in
    (try
       Hashtbl.iter
         (fun d _ ->
           if !nth = 0 then begin
             domid := d;
             raise Exit
           end;
           decr nth)
         made
     with Exit -> ());
    !domid
  end

let call () =
  let e = externals.(Random.int (Array.length externals)) in
  let domid = any_domid () in
  (* Of domains that exist the UUID is remembered. *)
  let uuid = uuid (1_000_000 + Random.int 1_000_000) in
  let n = Random.int 5 in
  let frame =
    if e.name <> "stub_map_foreign_range" then Nativeint.of_int (0xa0 + n)
    else
      match Xenctrl.domain_getinfo h domid with
      | { shared_info_frame; _ } -> Int64.to_nativeint shared_info_frame
      | exception Xenctrl.Error _ -> 0n
  in
  let arguments : Externals.arguments =
    {
      domid; remote = 0;
      n = (if e.name = "stub_map_foreign_range" then 4096 else n);
      m = Random.int 8; quad = (0, 3, 0, 0); int32 = 300l; int64 = Int64.of_int (4 * Random.int 64);
      frame; frames = 1n; flag = Random.bool (); flags = [| true |]; text = "h"; uuid;
      choice = Random.int 40; config = config uuid;
    }
  in
  let answered, raised = try Hashtbl.find calls e.name with Not_found -> (0, 0) in
  match e.call h arguments with
  | () ->
    if e.name = "stub_xc_domain_sethandle" then Hashtbl.replace made domid uuid;
    Hashtbl.replace calls e.name (answered + 1, raised)
  | exception (Xenctrl.Error _ | Invalid_argument _) ->
    Hashtbl.replace calls e.name (answered, raised + 1)
  | exception Failure _ when e.fails -> Hashtbl.replace calls e.name (answered, raised + 1)

let exchange () =
  let domid = any_domid () in
  if Hashtbl.mem made domid then begin
    Xenctrl.domain_destroy h domid;
    Hashtbl.remove made domid;
    create ()
  end

let say fmt = Printf.ksprintf (fun text -> print_endline text; flush stdout) fmt

let () =
  say "soak: %g s, %d domains, seed %d" seconds domains seed;
  for _ = 2 to domains do
    create ()
  done;
  let start = Unix.gettimeofday () in
  let steps = ref 0 and checks = ref 0 and next = ref 30. in
  let memory = ref 0 in
  while Unix.gettimeofday () -. start < seconds do
    incr steps;
    if Random.int 50 = 0 then exchange () else call ();
    if !steps mod 20 = 0 then begin
      incr checks;
      check_one (any_domid ())
    end;
    if !steps mod 200 = 0 then begin
      check_list ();
      check_host ()
    end;
    let elapsed = Unix.gettimeofday () -. start in
    (* Half of the time is for tables and heaps to grow to their sizes. *)
    if !memory = 0 && elapsed > seconds /. 2. then begin
      Gc.compact ();
      memory := Memory.resident_kib ()
    end;
    if elapsed > !next then begin
      say "  %.0f s: %d steps, %d domains compared" elapsed !steps !checks;
      next := !next +. 30.
    end
  done;
  check_list ();
  Gc.compact ();
  let grown = Memory.resident_kib () - !memory in
  let silent =
    List.filter
      (fun (e : Externals.t) -> not (Hashtbl.mem calls e.name))
      (Array.to_list externals)
  in
  if !steps > 2000 && silent <> [] then fail "%s was never called" (List.hd silent).name;
  let total f = Hashtbl.fold (fun _ n acc -> acc + f n) calls 0 in
  let answered = total fst and refused = total snd in
  say "soak: %d calls of %d externals, %d answered and %d refused; %d turns of exchanging a domain; \
       %d domains compared with libxenctrl, all of them %d times; %d domains made; resident memory \
       grew by %d KiB in the second half"
    (answered + refused) (Hashtbl.length calls) answered refused (!steps - answered - refused) !checks
    (!steps / 200) !counter grown;
  if grown > 1024 then fail "memory: %d KiB" grown
