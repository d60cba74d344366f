(* The library needs libxencall and no other of Xen's libraries. *)

let loaded name =
  let ic = open_in "/proc/self/maps" in
  let rec search () =
    match input_line ic with
    | line -> (
      match String.rindex_opt line '/' with
      | Some i ->
        let file = String.sub line (i + 1) (String.length line - i - 1) in
        (String.length file >= String.length name && String.sub file 0 (String.length name) = name)
        || search ()
      | None -> search ())
    | exception End_of_file -> false
  in
  let found = search () in
  close_in ic;
  found

let () =
  let h = Xenctrl.interface_open () in
  let domains = List.length (Xenctrl.domain_getinfolist h 0) in
  let check what condition =
    if not condition then begin
      prerr_endline ("alone: " ^ what);
      exit 1
    end
  in
  check "libxencall is not loaded" (loaded "libxencall.so.1");
  check "libxenctrl is loaded" (not (loaded "libxenctrl.so"));
  check "libxenguest is loaded" (not (loaded "libxenguest.so"));
  Printf.printf "alone: %d domains without libxenctrl\n" domains
