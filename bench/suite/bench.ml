(* One process of the benchmark suite (bench/run): what all ways cost with the domains that
   there are now, as CSV on standard output. *)

module Xensim = Test_support.Xensim

type here = {
  xen : string;
  simulated : bool;
  domains : int;
  hvm : int;  (* of these with the usual ten emulation flags *)
  target : Xenctrl.domaininfo;  (* see [Ways.all] *)
}

let has_ten_flags (d : Xenctrl.domaininfo) =
  match d.arch_config with
  | X86 { emulation_flags; _ } -> List.length emulation_flags = 10
  | ARM _ -> false

let look_round () =
  let h = Xenctrl.interface_open () in
  let { Xenctrl.major; minor; _ } = Xenctrl.version h in
  let list = Xenctrl.domain_getinfolist h 0 in
  let domains = List.length list in
  {
    xen = Printf.sprintf "%d.%d" major minor;
    simulated = Xensim.available ();
    domains;
    hvm = List.length (List.filter has_ten_flags list);
    target = List.nth list (domains / 2);
  }

(* In a child, since the memory that it takes is no way's. *)
let here () : here =
  let from, into = Unix.pipe () in
  match Unix.fork () with
  | 0 ->
    let found = try Ok (look_round ()) with Xenctrl.Error error | Failure error -> Error error in
    let channel = Unix.out_channel_of_descr into in
    Marshal.to_channel channel found [];
    close_out channel;
    Unix._exit 0
  | child -> (
    Unix.close into;
    let channel = Unix.in_channel_of_descr from in
    let found = Marshal.from_channel channel in
    close_in channel;
    ignore (Unix.waitpid [] child);
    match found with
    | Ok here -> here
    | Error error -> failwith error)

let all_ways interop here =
  Ways.all ~interop ~domains:here.domains ~target:here.target (Xenctrl.interface_open ())

let kind =
  match Sys.backend_type with
  | Native -> "native"
  | Bytecode -> "bytecode"
  | Other name -> name

(* OCaml's own minor heap holds a list of 5000 domains; this one holds any. *)
let roomy_words = 8 * 1024 * 1024

let mode =
  if (Gc.get ()).minor_heap_size >= roomy_words then kind ^ "-roomy" else kind

let print_line cells = print_endline (String.concat "," cells)

(* The columns that every table begins with. *)
let place_names = [ "xen"; "simulated"; "mode"; "domains"; "hvm" ]

let place here =
  [
    here.xen; string_of_bool here.simulated; mode; string_of_int here.domains;
    string_of_int here.hvm;
  ]

(* --- times ----------------------------------------------------------------------- *)

let names =
  place_names
  @ [
      "threads"; "operation"; "way"; "result"; "hypercalls"; "mappings"; "words";
      "calls"; "least_us"; "p25_us"; "median_us"; "p75_us"; "cpu_us"; "ratio_p25"; "ratio";
      "ratio_p75";
    ]

let number x = if Float.is_nan x then "" else Printf.sprintf "%.4g" x

let counted = Option.fold ~none:"" ~some:string_of_int

let cells ~ours (cost : Measure.cost) =
  let counts = Lazy.force cost.way.counts in
  let time = cost.time in
  [
    counted counts.hypercalls; counted counts.mappings; string_of_int counts.words;
    string_of_int cost.calls; number time.least; number time.lower;
    number time.median; number time.upper; number (Lazy.force cost.cpu);
  ]
  @
  match ours with
  | None -> [ ""; ""; "" ]
  | Some ours ->
    let ratio = Measure.ratio cost ours in
    [ number ratio.lower; number ratio.median; number ratio.upper ]

(* A row of a way that took too long: no calls. *)
let not_measured = [ ""; ""; ""; "0"; ""; ""; ""; ""; ""; ""; ""; "" ]

(* Ways whose time grows with the square are measured beyond this once alone, and not at all
   beyond what --quadratic says. *)
let quadratic_always = 4001

let measure_operation here ways ~operation ~kept ~threads ~seconds ~quadratic =
  let ways = List.filter (fun (w : Ways.t) -> w.operation = operation) ways in
  let simplest = mode = "native" && (not kept) && threads = 1 in
  let takes_part (w : Ways.t) =
    (not w.quadratic)
    || here.domains <= min quadratic quadratic_always
    || (here.domains <= quadratic && simplest)
  in
  let of_way (w : Ways.t) = if kept then w.kept else w.dropped in
  let costs =
    Measure.costs ~threads ~seconds (List.map of_way (List.filter takes_part ways))
  in
  let cost name =
    List.find_opt (fun (c : Measure.cost) -> c.way.name = name) costs
  in
  let ours = cost "this" in
  List.iter
    (fun (w : Ways.t) ->
      print_line
        (place here
        @ [ string_of_int threads; operation; w.name; (if kept then "kept" else "dropped") ]
        @ Option.fold ~none:not_measured ~some:(cells ~ours) (cost w.name)))
    ways

(* Lists are what the project is about. *)
let operations = [ ("list", 0.4); ("getinfo", 0.1); ("find", 0.25); ("snapshot", 0.25) ]

let loops = [ "domains_of_uuid"; "watcher"; "make_host"; "domain_snapshot" ]

let measure interop header threads seconds quadratic =
  let here = here () in
  let ways = all_ways interop here in
  if header then print_line names;
  List.iter
    (fun threads ->
      List.iter
        (fun kept ->
          Printf.eprintf "  %s, %d domains, %s, result %s\n%!" mode here.domains
            (Text.count threads "thread")
            (if kept then "kept" else "dropped");
          List.iter
            (fun (operation, share) ->
              measure_operation here ways ~operation ~kept ~threads
                ~seconds:(share *. seconds) ~quadratic)
            operations)
        [ false; true ])
    threads;
  List.iter
    (fun operation ->
      measure_operation here ways ~operation ~kept:false ~threads:1 ~seconds:(0.1 *. seconds)
        ~quadratic)
    loops;
  0

(* The list alone: what of its time is the minor heap's size. *)
let measure_list interop header seconds =
  let here = here () in
  let ways = all_ways interop here in
  if header then print_line names;
  Printf.eprintf "  %s, %d domains, the list\n%!" mode here.domains;
  measure_operation here
    (List.filter (fun (w : Ways.t) -> not w.quadratic) ways)
    ~operation:"list" ~kept:false ~threads:1 ~seconds ~quadratic:0;
  0

(* --- one way in a process of its own ---------------------------------------------- *)

let process_names =
  place_names @ [ "operation"; "way"; "result"; "calls"; "peak_kib" ]

(* What starting takes, and opening a handle of each library. *)
let nothing = "nothing"

let once interop header operation name kept calls =
  let here = here () in
  let ways = all_ways interop here in
  let call =
    if name = nothing then Fun.id
    else
      match
        List.find_opt
          (fun (w : Ways.t) -> w.operation = operation && w.name = name)
          ways
      with
      | Some way -> (if kept then way.kept else way.dropped).caller ()
      | None -> failwith (Printf.sprintf "there is no way %s of %s" name operation)
  in
  for _ = 1 to calls do
    call ()
  done;
  if header then print_line process_names;
  print_line
    (place here
    @ [
        operation; name;
        (if kept then "kept" else "dropped");
        string_of_int calls; counted (Measure.peak_resident ());
      ]);
  0

let list_ways interop =
  let here = here () in
  List.iter
    (fun (w : Ways.t) ->
      if List.mem_assoc w.operation operations then
        Printf.printf "%s %s\n" w.operation w.name)
    (all_ways interop here);
  0

(* --- domains ----------------------------------------------------------------------- *)

let grow guests hvm =
  let h = Xenctrl.interface_open () in
  if Xensim.available () then failwith "xensim has the domains that XENSIM says";
  Guests.grow h ~guests ~hvm;
  0

(* dom0 runs meanwhile, on CPUs whose clocks an emulator may not keep alike: what differs for
   that differs once. *)
let attempts = 3

let check interop =
  let here = here () in
  let h = Xenctrl.interface_open () in
  let rec attempt left =
    match
      Ways.disagreements ~interop ~domains:here.domains ~target:here.target
        ~simulated:here.simulated h
    with
    | [] -> 0
    | _ when left > 1 && not here.simulated -> attempt (left - 1)
    | lines ->
      List.iteri (fun i line -> if i < 10 then prerr_endline line) lines;
      1
  in
  attempt attempts

(* --- the command line ---------------------------------------------------------------- *)

let guarded f =
  try f () with
  | Xenctrl.Error error | Failure error | Sys_error error ->
    prerr_endline ("bench: " ^ error);
    2

open Cmdliner

let interop =
  let doc = "The shared object of the ways by ocaml-interop." in
  Arg.(required & opt (some file) None & info [ "interop" ] ~docv:"FILE" ~doc)

let header =
  Arg.(value & flag & info [ "header" ] ~doc:"Print the names of the columns first.")

let measure_command =
  let threads =
    let doc = "How many threads call at once; one measurement for each number." in
    Arg.(value & opt (list int) [ 1 ] & info [ "threads" ] ~docv:"N,N" ~doc)
  in
  let seconds =
    let doc = "How long each measurement takes, unless few calls take longer." in
    Arg.(value & opt float 2. & info [ "seconds" ] ~docv:"S" ~doc)
  in
  let quadratic =
    let doc = "With more domains than $(docv), leave chunks of 2 out." in
    Arg.(value & opt int 32752 & info [ "quadratic" ] ~docv:"N" ~doc)
  in
  let doc = "times and counts of all ways" in
  Cmd.v
    (Cmd.info "measure" ~doc)
    Term.(
      const (fun interop header threads seconds quadratic ->
          guarded (fun () -> measure interop header threads seconds quadratic))
      $ interop $ header $ threads $ seconds $ quadratic)

let list_command =
  let seconds = Arg.(value & opt float 1. & info [ "seconds" ] ~docv:"S" ~doc:"How long.") in
  let doc = "times and counts of lists, but for chunks of 2" in
  Cmd.v
    (Cmd.info "list" ~doc)
    Term.(
      const (fun interop header seconds ->
          guarded (fun () -> measure_list interop header seconds))
      $ interop $ header $ seconds)

let once_command =
  let operation = Arg.(required & pos 0 (some string) None & info [] ~docv:"OPERATION") in
  let way = Arg.(required & pos 1 (some string) None & info [] ~docv:"WAY") in
  let kept = Arg.(value & flag & info [ "kept" ] ~doc:"Keep each result until the next.") in
  let calls = Arg.(value & opt int 1 & info [ "calls" ] ~docv:"K" ~doc:"Make $(docv) calls.") in
  let doc =
    "call one way, to be looked at from outside, and print the peak of resident memory"
  in
  Cmd.v
    (Cmd.info "once" ~doc)
    Term.(
      const (fun interop header operation name kept calls ->
          guarded (fun () -> once interop header operation name kept calls))
      $ interop $ header $ operation $ way $ kept $ calls)

let ways_command =
  Cmd.v
    (Cmd.info "ways" ~doc:"the names of operations and ways")
    Term.(const (fun interop -> guarded (fun () -> list_ways interop)) $ interop)

let grow_command =
  let guests = Arg.(required & pos 0 (some int) None & info [] ~docv:"N") in
  let hvm =
    Arg.(value & opt int 500 & info [ "hvm" ] ~docv:"N" ~doc:"How many at most are HVM.")
  in
  let doc = "create domains in a real Xen until there are $(i,N) guests, and leave them" in
  Cmd.v (Cmd.info "grow" ~doc)
    Term.(const (fun n hvm -> guarded (fun () -> grow n hvm)) $ guests $ hvm)

let check_command =
  Cmd.v
    (Cmd.info "check" ~doc:"whether all ways give the same answers")
    Term.(const (fun interop -> guarded (fun () -> check interop)) $ interop)

let () =
  let info = Cmd.info "bench" ~doc:"what listing and finding domains costs" in
  exit
    (Cmd.eval'
       (Cmd.group info
          [ measure_command; list_command; once_command; ways_command; grow_command; check_command ]))
