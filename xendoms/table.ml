type row = { domain : Domain.t; cpu : float option; mark : mark }
and mark = Unmarked | Appeared | Gone | Shut_down

type columns = Plain | Watched

let row domain = { domain; cpu = None; mark = Unmarked }

(* {1 Cells} *)

type side = Left | Right

(* Code points: the printable text has no control characters, and few are wider or narrower. *)
let width text = Uutf.String.fold_utf_8 (fun n _ _ -> n + 1) 0 text

let padded side columns text =
  let blanks = String.make (max 0 (columns - width text)) ' ' in
  match side with
  | Left -> text ^ blanks
  | Right -> blanks ^ text

let sign = function
  | Unmarked -> " "
  | Appeared -> "+"
  | Gone -> "-"
  | Shut_down -> "!"

let mib pages = Int64.to_string (Xenctrl.pages_to_mib (Int64.of_nativeint pages))

let columns : (columns * side * string * (row -> string)) list =
  [
    (Watched, Left, " ", fun r -> sign r.mark);
    (Plain, Left, "NAME", fun r -> Domain.display_name r.domain);
    (Plain, Right, "ID", fun r -> string_of_int r.domain.domid);
    (Plain, Left, "UUID", fun r -> Xenctrl_domains.Uuid.to_string r.domain.uuid);
    (Plain, Left, "STATE", fun r -> Domain.letters r.domain);
    (Plain, Right, "MEM(MiB)", fun r -> mib r.domain.memory_pages);
    (Plain, Right, "VCPUS", fun r -> string_of_int r.domain.vcpus);
    ( Plain, Right, "TIME(s)",
      fun r -> Printf.sprintf "%.1f" (Int64.to_float r.domain.cpu_time /. 1e9) );
    ( Watched, Right, "CPU(%)",
      fun r -> Option.fold ~none:"-" ~some:(Printf.sprintf "%.1f") r.cpu );
  ]

(* {1 Lines} *)

let style = function
  | Unmarked -> []
  | Appeared -> [ `Bold; `Fg `Green ]
  | Gone -> [ `Fg `Red ]
  | Shut_down -> [ `Bold; `Fg `Yellow ]

let pp_styled styles ppf line = List.fold_right Fmt.styled styles Fmt.string ppf line

(* The first rows, but all that are marked if they fit. *)
let choose room rows =
  let marked = List.length (List.filter (fun r -> r.mark <> Unmarked) rows) in
  let take unmarked marked rows =
    let step (unmarked, marked, chosen) r =
      match r.mark with
      | Unmarked when unmarked > 0 -> (unmarked - 1, marked, r :: chosen)
      | Unmarked -> (unmarked, marked, chosen)
      | _ when marked > 0 -> (unmarked, marked - 1, r :: chosen)
      | _ -> (unmarked, marked, chosen)
    in
    let _, _, chosen = List.fold_left step (unmarked, marked, []) rows in
    List.rev chosen
  in
  let marked = min marked room in
  take (room - marked) marked rows

let pp ?limit shown ppf rows =
  let columns = List.filter (fun (kind, _, _, _) -> kind = Plain || kind = shown) columns in
  let total = List.length rows in
  let rows, left_out =
    match limit with
    | Some lines when total + 1 > lines ->
      let room = max 0 (lines - 2) in
      (choose room rows, total - room)
    | _ -> (rows, 0)
  in
  let cells = List.map (fun r -> (r, List.map (fun (_, _, _, cell) -> cell r) columns)) rows in
  let titles = List.map (fun (_, _, title, _) -> title) columns in
  let widest = List.map2 (fun a b -> max a (width b)) in
  let widths =
    List.fold_left
      (fun widths (_, cells) -> widest widths cells)
      (List.map width titles) cells
  in
  let line cells =
    let pad (_, side, _, _) (columns, text) = padded side columns text in
    String.concat "  " (List.map2 pad columns (List.combine widths cells))
  in
  Fmt.pf ppf "%a@\n" (pp_styled [ `Bold ]) (line titles);
  List.iter (fun (r, cells) -> Fmt.pf ppf "%a@\n" (pp_styled (style r.mark)) (line cells)) cells;
  if left_out > 0 then Fmt.pf ppf "... %d more@\n" left_out
