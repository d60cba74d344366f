type handle

external interface_open : unit -> handle = "baseline_interface_open"

external getinfolist : handle -> int -> int -> Xenctrl.domaininfo list
  = "baseline_getinfolist"

external getinfo : handle -> int -> Xenctrl.domaininfo = "baseline_getinfo"

(* A chunk that is not full is the last one. As deep on the stack as there are
   chunks, and each append copies what the deeper ones found. *)
let list_chunked ~chunk handle first =
  if chunk < 1 then invalid_arg "Baseline.list_chunked";
  let rec descending from =
    let page = getinfolist handle from chunk in
    let later =
      if List.length page = chunk then
        descending ((List.hd page).Xenctrl.domid + 1)
      else []
    in
    later @ page
  in
  List.rev (descending first)

(* Only an empty chunk is the last one. *)
let list_1024 handle first =
  let rec pages found from =
    match getinfolist handle from 1024 with
    | [] -> List.fold_left (fun tail page -> List.rev_append page tail) [] found
    | largest :: _ as page -> pages (page :: found) (largest.Xenctrl.domid + 1)
  in
  pages [] first

external bare : handle -> int -> int -> int = "baseline_bare"

let bare_1024 handle =
  let rec pages from =
    let next = bare handle from 1024 in
    if next > from then pages next else next
  in
  pages 0

type floor

external floor_open : sysctl_version:int -> max:int -> floor
  = "baseline_floor_open"

external floor : floor -> int = "baseline_floor"

external floor_getinfo : floor -> domctl_version:int -> int -> int
  = "baseline_floor_getinfo"
