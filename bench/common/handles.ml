(* libxenctrl of another release opens, and the first hypercall is refused for its
   interface version. *)
let classic () =
  let permission_denied = "13: " in
  match
    let h = Baseline.interface_open () in
    ignore (Baseline.getinfolist h 0 1);
    h
  with
  | h -> Ok h
  | exception Failure error when String.starts_with ~prefix:permission_denied error
    ->
    Error error

type versions = {
  sysctl : int;
  domctl : int;
}

(* The records that are asked for are alike in all supported releases. *)
let versions () =
  let rec first_accepted interface accepted = function
    | [] -> failwith ("no known version of " ^ interface ^ " is accepted")
    | version :: others -> (
      match accepted version with
      | _ -> version
      | exception Failure _ when others <> [] ->
        first_accepted interface accepted others)
  in
  let open_floor sysctl_version = Baseline.floor_open ~sysctl_version ~max:1 in
  let sysctl =
    first_accepted "sysctl" (fun v -> Baseline.floor (open_floor v)) [ 0x15; 0x16 ]
  in
  let floor = open_floor sysctl in
  let domctl =
    first_accepted "domctl"
      (fun domctl_version -> Baseline.floor_getinfo floor ~domctl_version 0)
      [ 0x15; 0x16; 0x17; 0x18 ]
  in
  { sysctl; domctl }

let floor versions ~max = Baseline.floor_open ~sysctl_version:versions.sysctl ~max
