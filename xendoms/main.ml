(* xendoms: the domains of a Xen host, once or watched. What it does is Xenctrl_domains', in a call
   each: Snapshot.take, find_by_uuid, changes. *)

open Cmdliner
open Xendoms_lib
module Snapshot = Xenctrl_domains.Snapshot
module Uuid = Xenctrl_domains.Uuid

(* {1 What is done} *)

let ok = 0
let none_found = 1
let no_xen = 2
let no_output = Cmd.Exit.some_error

let domains h wanted =
  let names = Domain.names () in
  let list =
    match wanted with
    | Some uuid -> List.map (Domain.of_info names) (Xenctrl_domains.find_by_uuid h uuid)
    | None ->
      let snapshot = Snapshot.take h in
      Snapshot.fold_right
        (fun i list -> Domain.of_info names (Snapshot.domaininfo snapshot i) :: list)
        snapshot []
  in
  Domain.close names;
  list

let list h wanted ~json =
  match (domains h wanted, wanted) with
  | [], Some uuid ->
    if json then print_endline "[]"
    else Fmt.epr "xendoms: no domain has the UUID %s@." (Uuid.to_string uuid);
    none_found
  | domains, _ ->
    if json then
      Yojson.Safe.pretty_to_channel stdout (`List (List.map Domain.to_json domains))
    else Table.pp Plain Fmt.stdout (List.map Table.row domains);
    if json then print_newline ();
    Fmt.flush Fmt.stdout ();
    ok

let contains text part =
  let n = String.length part in
  let rec at i = i + n <= String.length text && (String.sub text i n = part || at (i + 1)) in
  at 0

(* What to do about an error, which the messages of Xenctrl.Error do not say. *)
let advice message =
  if contains message "2: No such file" && not (Simulator.asked_for ()) then
    Some
      "Is this dom0 of a Xen host? Elsewhere xensim simulates one: set XENSIM, for example to \
       domains=20."
  else if contains message "1: Operation not permitted" || contains message "13: Permission denied"
  then Some "Domains are listed by root in dom0."
  else None

let run wanted watch rounds json style =
  Fmt_tty.setup_std_outputs ?style_renderer:style ();
  match Simulator.enter () with
  | Error message ->
    Fmt.epr "xendoms: %s@." message;
    no_xen
  | Ok () -> (
    match
      let h = Xenctrl.interface_open () in
      match watch with
      | Some interval ->
        Watch.run h ~wanted ~interval ~rounds ~style:(Fmt.style_renderer Fmt.stdout);
        ok
      | None -> list h wanted ~json
    with
    | status -> status
    | exception Xenctrl.Error message ->
      Fmt.epr "xendoms: the hypervisor cannot be asked: %s@." message;
      Option.iter (Fmt.epr "%s@.") (advice message);
      no_xen
    | exception Sys_error message ->
      Fmt.epr "xendoms: %s@." message;
      (* At once: an orderly exit would try to write what is left. *)
      Unix._exit no_output)

(* {1 The command line} *)

let uuid =
  let parse text =
    Uuid.of_string_opt text |> Option.to_result ~none:(`Msg (Printf.sprintf "%S is no UUID" text))
  in
  Arg.conv ~docv:"UUID" (parse, Fmt.using Uuid.to_string Fmt.string)

let wanted =
  let doc =
    "Only the domains with this UUID. There can be two while a VM is migrated to the host that it \
     is on."
  in
  Arg.(value & pos 0 (some uuid) None & info [] ~docv:"UUID" ~doc)

(* A longer wait than select can have is of no use. *)
let seconds =
  let parse text =
    match float_of_string_opt text with
    | Some s when s >= 0.1 && s <= 86400. -> Ok s
    | _ -> Error (`Msg (Printf.sprintf "%S is not from 0.1 to 86400 seconds" text))
  in
  Arg.conv ~docv:"SECONDS" (parse, Fmt.float)

let watch =
  let doc =
    "Show the table again every $(docv) (2 unless given, as in $(b,--watch=5)), with the CPU time \
     that each domain used since then in percent of one CPU. Domains that appeared are marked with \
     + and green, those that shut down with ! and yellow, and those that are gone are shown once \
     more with - and red. On a terminal the table is refreshed in place until q or Ctrl-C is \
     pressed, and what does not fit is left out, marked domains last; elsewhere tables follow each \
     other."
  in
  Arg.(
    value
    & opt ~vopt:(Some 2.) (some seconds) None
    & info [ "w"; "watch" ] ~docv:"SECONDS" ~doc)

let rounds =
  let positive =
    let parse text =
      match int_of_string_opt text with
      | Some n when n > 0 -> Ok n
      | _ -> Error (`Msg (Printf.sprintf "%S is no positive number" text))
    in
    Arg.conv ~docv:"N" (parse, Fmt.int)
  in
  let doc = "With $(b,--watch): end after $(docv) tables." in
  Arg.(value & opt (some positive) None & info [ "n"; "rounds" ] ~docv:"N" ~doc)

let json =
  let doc =
    "Print a list of objects instead of a table: $(b,domid); $(b,name), null where it cannot be \
     read; $(b,uuid); $(b,states), a list of running, blocked, paused, shutdown, crashed and dying; \
     $(b,shutdown_reason), a word (a number where Xen has none), null unless it is shut down; \
     $(b,hvm), true for PVH too; $(b,memory_kib) and $(b,max_memory_kib); $(b,vcpus), those online; \
     $(b,cpu_time_ns)."
  in
  Arg.(value & flag & info [ "json" ] ~doc)

let term =
  let check wanted watch rounds json style =
    if json && watch <> None then `Error (true, "--json and --watch exclude each other")
    else if rounds <> None && watch = None then `Error (true, "--rounds goes with --watch")
    else `Ok (run wanted watch rounds json style)
  in
  Term.(
    ret (const check $ wanted $ watch $ rounds $ json $ Fmt_cli.style_renderer ()))

let command =
  let doc = "list and watch the domains of a Xen host" in
  let man =
    [
      `S Manpage.s_description;
      `P
        "$(tname) prints a line for each domain: its name, domid, UUID, state, memory, online vCPUs \
         and CPU time in seconds. However many domains there are, the table is one answer of the \
         hypervisor's, by one hypercall; the first table takes several if there are more than 1167. \
         A domain that comes or goes during that hypercall may be in it or not.";
      `P
        "States are written as xl does: r (running), b (blocked), p (paused), s (shut down), c \
         (crashed), d (dying). Names are xenstore's; where they cannot be read, dom0 is called \
         Domain-0 and others have a dash.";
      `P "It runs in dom0, as root, or on a simulated hypervisor; see $(b,ENVIRONMENT).";
      `S Manpage.s_examples;
      `P "How many domains are paused:";
      `Pre "  $(tname) --json | jq 'map(select(.states | index(\"paused\"))) | length'";
      `P "What happens on a host, every second:";
      `Pre "  $(tname) --watch=1";
      `P "A simulated host of 20 domains:";
      `Pre "  XENSIM=domains=20 $(tname)";
    ]
  in
  let envs =
    [
      Cmd.Env.info "XENSIM"
        ~doc:
          "If set, xensim simulates the hypervisor: keys and values, as in \
           domains=1000,version=4.17. A mistake in it is answered with all keys.";
      Cmd.Env.info "XENSIM_DIR"
        ~doc:
          "xensim's directory. Unless set, it is ../lib/xensim as seen from the program's own \
           directory, or target/xensim in a checkout that the program was built in.";
      Cmd.Env.info "XENSTORED_PATH"
        ~doc:
          "xenstored's socket, if it is not in its usual place. With XENSIM set, names are read only \
           if this is, too: simulated domains are not this host's.";
    ]
  in
  let exits =
    Cmd.Exit.info ok ~doc:"on success."
    :: Cmd.Exit.info none_found ~doc:"if no domain has the $(i,UUID)."
    :: Cmd.Exit.info no_xen
         ~doc:
           "if the hypervisor cannot be asked: there is none or no right to, it is of another \
            release than those supported, or no xensim is found."
    :: Cmd.Exit.info no_output ~doc:"if the output cannot be written."
    :: List.filter
         (fun info -> Cmd.Exit.info_code info > 123)
         Cmd.Exit.defaults
  in
  Cmd.v (Cmd.info "xendoms" ~version:Version.number ~doc ~man ~envs ~exits) term

let () = exit (Cmd.eval' command)
