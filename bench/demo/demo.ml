(* The domain list three ways, through the same OCaml types: in chunks of 2 through
   libxenctrl as the C stubs once fetched it, in chunks of 1024 as they do now, and
   by this library. *)

open Measure
module Counters = Test_support.Counters
module Xensim = Test_support.Xensim

let counts cost = Lazy.force cost.way.counts

(* --- the list -------------------------------------------------------------------- *)

let name (d : Xenctrl.domaininfo) =
  if d.domid = 0 then "Domain-0"
  else if Array.for_all (( = ) 0) d.handle then
    Printf.sprintf "(dom %d)" d.domid
  else
    let dash i = if List.mem i [ 4; 6; 8; 10 ] then "-" else "" in
    String.concat ""
      (List.mapi
         (fun i byte -> Printf.sprintf "%s%02x" (dash i) byte)
         (Array.to_list d.handle))

let print_row name domid memory vcpus state time =
  Printf.printf "%-40s %5s %7s %5s  %6s %11s\n" name domid memory vcpus state
    time

let print_domain (d : Xenctrl.domaininfo) =
  let crashed = Xenctrl_domains.shutdown_reason d = Some Crash in
  let letter c holds = if holds then c else "-" in
  print_row (name d) (string_of_int d.domid)
    (Int64.to_string
       (Xenctrl.pages_to_mib (Int64.of_nativeint d.total_memory_pages)))
    (string_of_int d.nr_online_vcpus)
    (String.concat ""
       [
         letter "r" d.running;
         letter "b" d.blocked;
         letter "p" d.paused;
         letter "s" d.shutdown;
         letter "c" crashed;
         letter "d" d.dying;
       ])
    (Printf.sprintf "%.1f" (Int64.to_float d.cpu_time /. 1e9))

let print_list list =
  let shown = 4 in
  let length = List.length list in
  print_row "Name" "ID" "Mem" "VCPUs" "State" "Time(s)";
  if length <= (2 * shown) + 1 then List.iter print_domain list
  else begin
    List.iteri (fun i d -> if i < shown then print_domain d) list;
    Printf.printf "... %d more\n" (length - (2 * shown));
    List.iteri (fun i d -> if i >= length - shown then print_domain d) list
  end

(* --- the figures ----------------------------------------------------------------- *)

let print_costs ~ours costs =
  let row cells =
    let columns = [ 28; 10; 9; 9; 11; 11; 12 ] in
    let pad i (columns, cell) =
      (if i = 0 then Text.left else Text.right) columns cell
    in
    print_endline
      (String.concat " " (List.mapi pad (List.combine columns cells)))
  in
  let counted = Option.fold ~none:"-" ~some:Text.number in
  let times a b = Text.figure (a /. b) ^ " x" in
  row
    [ "Per call"; "hypercalls"; "mappings"; "µs"; "OCaml words"; "x the time"; "x hypercalls" ];
  List.iter
    (fun cost ->
      row
        [
          cost.way.name;
          counted (counts cost).hypercalls;
          counted (counts cost).mappings;
          Text.figure cost.time.median;
          Text.number (counts cost).words;
          times cost.time.median ours.time.median;
          (match ((counts cost).hypercalls, (counts ours).hypercalls) with
          | Some theirs, Some ours ->
            times (Float.of_int theirs) (Float.of_int ours)
          | _ -> "-");
        ])
    costs;
  Printf.printf "(%s of each way in turns, medians; ratios to this library%s)\n"
    (Text.count ours.calls "call")
    (if (counts ours).hypercalls = None then "; nothing counts hypercalls here" else "")

let print_long_run run =
  let counted n thing =
    match n with
    | Some n -> Text.count n thing ^ ", "
    | None -> ""
  in
  let growth =
    match run.growth with
    | Some kib when kib >= 0 -> Printf.sprintf "grew by %d KiB" kib
    | Some kib -> Printf.sprintf "shrank by %d KiB" (-kib)
    | None -> "is not known"
  in
  Text.paragraph
    (Printf.sprintf
       "%s of this library in a row: %s%sresident memory %s; %s µs each, garbage \
        collection included."
       (Text.count run.total_calls "call")
       (counted run.total_hypercalls "hypercall")
       (counted run.total_mappings "mapping")
       growth (Text.figure run.each))

(* In two sentences what the figures say; [others] may be none. *)
let print_conclusion ~domains ~ours ~floor others =
  let counts_of c =
    match ((counts c).hypercalls, (counts c).mappings) with
    | Some hypercalls, Some mappings ->
      Some
        (Text.count hypercalls "hypercall"
        ^ " and "
        ^ Text.count mappings "mapping")
    | _ -> None
  in
  let speed other =
    Printf.sprintf "%s times as fast as in %s%s"
      (Text.figure (other.time.median /. ours.time.median))
      other.way.name
      (Option.fold ~none:"" ~some:(Printf.sprintf " (%s)") (counts_of other))
  in
  let faster =
    Printf.sprintf "Listing %s is %s%s. "
      (Text.count domains "domain")
      (Text.listing (List.map speed others))
      (Option.fold ~none:"" ~some:(( ^ ) ": it takes ") (counts_of ours))
  in
  let per_domain cost =
    Text.figure (Float.of_int (counts cost).words /. Float.of_int domains)
  in
  let stubs =
    match List.rev others with
    | [] -> ""
    | latest :: _ ->
      Printf.sprintf " where the C stubs take %s" (per_domain latest)
  in
  let rest =
    Printf.sprintf
      "Of its %s µs the bare hypercall takes %s; the rest makes the OCaml list, \
       %s words of heap per domain%s."
      (Text.figure ours.time.median)
      (Text.figure floor.time.median)
      (per_domain ours) stubs
  in
  Text.paragraph (if others = [] then rest else faster ^ rest)

let write_csv file ~xen ~simulated ~domains costs =
  let out = open_out file in
  let counted = Option.fold ~none:"" ~some:string_of_int in
  Fun.protect
    ~finally:(fun () -> close_out out)
    (fun () ->
      output_string out
        "xen,simulated,domains,way,hypercalls,list_hypercalls,mappings,words,\
         calls,median_us,mean_us,least_us\n";
      List.iter
        (fun c ->
          Printf.fprintf out "%s,%b,%d,%s,%s,%s,%s,%d,%d,%.1f,%.1f,%.1f\n" xen
            simulated domains c.way.name
            (counted (counts c).hypercalls)
            (counted (counts c).list_hypercalls)
            (counted (counts c).mappings)
            (counts c).words c.calls c.time.median c.time.mean c.time.least)
        costs)

(* --- the ways -------------------------------------------------------------------- *)

(* Those that list, by name, and all that is measured, the bare hypercall last. *)
let ways h ~domains =
  let ours = ("this library", fun () -> Xenctrl.domain_getinfolist h 0) in
  let lists =
    match Handles.classic () with
    | Ok b ->
      [
        ("chunks of 2", fun () -> Baseline.list_chunked ~chunk:2 b 0);
        ("chunks of 1024", fun () -> Baseline.list_1024 b 0);
        ours;
      ]
    | Error error ->
      print_newline ();
      Text.paragraph
        (Printf.sprintf
           "This machine's libxenctrl is another Xen release's and gets no list \
            from this hypervisor (%s): the two ways through it are left out."
           error);
      [ ours ]
  in
  (* With room for domains that come meanwhile, up to all that there can be. *)
  let floor = Handles.(floor (versions ())) ~max:(min 32752 (domains + 24)) in
  let measured =
    List.map (fun (name, list) -> dropping name (fun () -> list)) lists
    @ [ dropping "the bare hypercall" (fun () () -> Baseline.floor floor) ]
  in
  (lists, measured)

(* --- the program ----------------------------------------------------------------- *)

(* Problems, one line each. *)
let checks ~ours ~run =
  let expect what found wanted =
    match found with
    | None -> [ "nothing counts " ^ what ^ " here" ]
    | Some n when n = wanted -> []
    | Some n -> [ Printf.sprintf "%d %s, not %d" n what wanted ]
  in
  expect "list hypercalls per call" (counts ours).list_hypercalls 1
  @ expect "mappings per call" (counts ours).mappings 0
  @ expect
      (Printf.sprintf "hypercalls in %d calls" run.total_calls)
      run.total_hypercalls run.total_calls

(* 0 or 1, the exit status. *)
let report measured ~xen ~simulated ~domains ~calls ~seconds ~check ~csv =
  let costs = Measure.costs ?samples:calls ~seconds measured in
  let named name = List.find (fun c -> c.way.name = name) costs in
  let ours = named "this library" in
  print_costs ~ours costs;
  print_newline ();
  let run = Measure.long_run ~calls:1000 ours.way in
  print_long_run run;
  print_newline ();
  print_conclusion ~domains ~ours
    ~floor:(named "the bare hypercall")
    (List.filter
       (fun c -> String.starts_with ~prefix:"chunks" c.way.name)
       costs);
  Option.iter (fun file -> write_csv file ~xen ~simulated ~domains costs) csv;
  let problems = if check then checks ~ours ~run else [] in
  List.iter (fun problem -> print_endline ("CHECK FAILED: " ^ problem)) problems;
  if problems = [] then 0 else 1

(* The same. *)
let show h ~xen ~calls ~seconds ~check ~csv =
  let simulated = Xensim.available () in
  let domains = List.length (Xenctrl.domain_getinfolist h 0) in
  let lists, measured = ways h ~domains in
  let listed = List.map (fun (name, list) -> (name, list ())) lists in
  print_newline ();
  print_list (List.assoc "this library" listed);
  print_newline ();
  match Agreement.differences ~simulated listed with
  | [] ->
    if List.length listed > 1 then
      Printf.printf "All %d ways give the same list.\n\n%!" (List.length listed);
    report measured ~xen ~simulated ~domains ~calls ~seconds ~check ~csv
  | differences ->
    List.iteri (fun i line -> if i < 10 then print_endline line) differences;
    Printf.printf "THE LISTS DIFFER: %s.\n"
      (Text.count (List.length differences) "difference");
    1

let run wanted calls seconds check csv =
  let h = Xenctrl.interface_open () in
  let simulated = Xensim.available () in
  let { Xenctrl.major; minor; extra } = Xenctrl.version h in
  let xen = Printf.sprintf "%d.%d%s" major minor extra in
  let present = List.length (Xenctrl.domain_getinfolist h 0) in
  Printf.printf "Xen %s%s, %s.\n%!" xen
    (if simulated then ", simulated by xensim" else "")
    (Text.count present "domain");
  let missing =
    if simulated || present > wanted then begin
      if present <> wanted then
        Printf.printf "All of them are used, not %d%s.\n" wanted
          (if simulated then
             Printf.sprintf " (XENSIM=domains=%d gives so many)" wanted
           else "");
      0
    end
    else wanted - present
  in
  Guests.with_more h missing (fun () ->
      show h ~xen ~calls ~seconds ~check ~csv)

let guarded wanted calls seconds check csv =
  let cannot error =
    flush stdout;
    prerr_endline ("demo: " ^ error);
    2
  in
  match run wanted calls seconds check csv with
  | status -> status
  | exception Xenctrl.Error error -> cannot error
  | exception Failure error -> cannot error
  | exception Sys_error error -> cannot error
  | exception Guests.Interrupted -> cannot "interrupted"

open Cmdliner

let in_range ~least ~most =
  let parse text =
    match int_of_string_opt text with
    | Some n when n >= least && n <= most -> Ok n
    | _ ->
      Error (`Msg (Printf.sprintf "%S is not from %d to %d" text least most))
  in
  Arg.conv (parse, Format.pp_print_int)

let domains =
  let doc =
    "How many domains to list, dom0 among them. On a real Xen those missing are \
     created, as empty PV guests, and destroyed at the end; in the simulated one \
     the variable XENSIM (domains=$(docv)) decides."
  in
  Arg.(
    value
    & opt (in_range ~least:1 ~most:32752) 1000
    & info [ "domains" ] ~docv:"N" ~doc)

let calls =
  let doc =
    "Take so many samples of each way, not as many as fit into --seconds."
  in
  Arg.(
    value
    & opt (some (in_range ~least:1 ~most:1_000_000)) None
    & info [ "calls" ] ~docv:"K" ~doc)

let seconds =
  let doc = "How long to time calls for." in
  Arg.(value & opt float 5. & info [ "seconds" ] ~docv:"S" ~doc)

let check =
  let doc =
    "Fail unless a call of this library makes one list hypercall, no other and no \
     mapping. Times are not checked."
  in
  Arg.(value & flag & info [ "check" ] ~doc)

let csv =
  let doc = "Write the figures to $(docv) as well." in
  Arg.(value & opt (some string) None & info [ "csv" ] ~docv:"FILE" ~doc)

let () =
  let exits =
    [
      Cmd.Exit.info 0 ~doc:"if all ways agree.";
      Cmd.Exit.info 1 ~doc:"if they do not, or --check finds fault.";
      Cmd.Exit.info 2 ~doc:"if there is no Xen to ask, or it refuses.";
      Cmd.Exit.info Cmd.Exit.cli_error ~doc:"on a wrong command line.";
    ]
  in
  let info =
    Cmd.info "demo" ~exits
      ~doc:
        "list a thousand domains in chunks of 2, in chunks of 1024, and by this \
         library"
  in
  let term = Term.(const guarded $ domains $ calls $ seconds $ check $ csv) in
  exit (Cmd.eval' (Cmd.v info term))
