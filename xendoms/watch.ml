module Snapshot = Xenctrl_domains.Snapshot
module Uuid = Xenctrl_domains.Uuid

(* {1 Looking} *)

type look = {
  snapshot : Snapshot.t;
  domains : Domain.t array;  (** By their numbers in the snapshot. *)
  taken : Mtime.t;
}

let look ?into h =
  let snapshot =
    match into with
    | Some snapshot ->
      Snapshot.retake h snapshot;
      snapshot
    | None -> Snapshot.take h
  in
  let taken = Mtime_clock.now () in
  let names = Domain.names () in
  let domain n = Domain.of_info names Snapshot.(domaininfo snapshot (nth snapshot n)) in
  let domains = Array.init (Snapshot.length snapshot) domain in
  Domain.close names;
  { snapshot; domains; taken }

(* {1 Comparing} *)

let cpu ~before ~after domid =
  match Snapshot.index_opt before.snapshot domid with
  | None -> None
  | Some i ->
    let time look i = Int64.to_float (Snapshot.cpu_time look.snapshot i) in
    let used = time after (Snapshot.index after.snapshot domid) -. time before i in
    let passed = Mtime.Span.to_uint64_ns (Mtime.span before.taken after.taken) in
    (* Negative if the domid is another domain's now. *)
    if used < 0. || passed = 0L then None else Some (100. *. used /. Int64.to_float passed)

let rows ~before ~after =
  match before with
  | None -> List.map Table.row (Array.to_list after.domains)
  | Some before ->
    let changes = Xenctrl_domains.changes ~before:before.snapshot ~after:after.snapshot in
    (* With another UUID it may be another domain. *)
    let marks : (Xenctrl.domid, Table.mark) Hashtbl.t = Hashtbl.create 16 in
    let set mark = List.iter (fun domid -> Hashtbl.replace marks domid mark) in
    set Table.Shut_down changes.shut_down;
    set Appeared (changes.appeared @ changes.renamed);
    let mark domid = Option.value (Hashtbl.find_opt marks domid) ~default:Table.Unmarked in
    let there (domain : Domain.t) : Table.row =
      let mark = mark domain.domid in
      let cpu = if mark = Appeared then None else cpu ~before ~after domain.domid in
      { domain; cpu; mark }
    in
    let gone domid : Table.row =
      let domain = before.domains.((Snapshot.index before.snapshot domid :> int)) in
      { domain; cpu = None; mark = Gone }
    in
    List.map there (Array.to_list after.domains)
    @ List.map gone (changes.gone @ changes.renamed)
    |> List.stable_sort (fun (a : Table.row) (b : Table.row) ->
           compare a.domain.domid b.domain.domid)

(* {1 Showing} *)

let title look ~interval =
  let { Unix.tm_hour; tm_min; tm_sec; _ } = Unix.localtime (Unix.time ()) in
  let count = Snapshot.length look.snapshot in
  Printf.sprintf "%02d:%02d:%02d  %d domain%s, every %g s" tm_hour tm_min tm_sec count
    (if count = 1 then "" else "s")
    interval

let frame terminal ~style ~interval ~wanted ~before ~after =
  let is_wanted (row : Table.row) =
    Option.fold ~none:true ~some:(Uuid.equal row.domain.uuid) wanted
  in
  let rows = List.filter is_wanted (rows ~before ~after) in
  (* The title takes two lines. *)
  let limit = Option.map (fun lines -> lines - 2) (Terminal.lines terminal) in
  let buffer = Buffer.create 4096 in
  let ppf = Format.formatter_of_buffer buffer in
  Fmt.set_style_renderer ppf style;
  Fmt.pf ppf "%s%s@\n@\n" (title after ~interval)
    (if Terminal.is_screen terminal then "; q ends" else "");
  Table.pp ?limit Watched ppf rows;
  if not (Terminal.is_screen terminal) then Fmt.pf ppf "@\n";
  Fmt.flush ppf ();
  Buffer.contents buffer

let run h ~wanted ~interval ~rounds ~style =
  let draw terminal ~before ~after =
    Terminal.draw terminal (frame terminal ~style ~interval ~wanted ~before ~after)
  in
  let rec round terminal ~before ~after n =
    draw terminal ~before ~after;
    if rounds = Some n then None
    else
      match pause terminal ~before ~after with
      | Some _ as ending -> ending
      | None ->
        (* The snapshot that is no longer needed is used anew. *)
        let into = Option.map (fun look -> look.snapshot) before in
        round terminal ~before:(Some after) ~after:(look ?into h) (n + 1)
  and pause terminal ~before ~after =
    match Terminal.wait terminal interval with
    | Timeout -> None
    | Quit -> Some None
    | Signal signal -> Some (Some signal)
    | Redraw ->
      draw terminal ~before ~after;
      pause terminal ~before ~after
  in
  let first = look h in
  match Terminal.with_ (fun terminal -> round terminal ~before:None ~after:first 1) with
  | Some (Some signal) -> Terminal.die signal
  | Some None | None -> ()
