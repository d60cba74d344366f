(* Counts domains, in the way of the module that it is linked with. *)
let () =
  let h = Xenctrl.interface_open () in
  let list = Xenctrl.domain_getinfolist h 0 in
  let ids = List.map (fun d -> d.Xenctrl.domid) list in
  assert (ids = List.sort_uniq compare ids);
  let maps = open_in "/proc/self/maps" in
  let rec loaded_libxenctrl () =
    match input_line maps with
    | line ->
      (match String.rindex_opt line '/' with
      | Some i -> String.length line > i + 13 && String.sub line (i + 1) 12 = "libxenctrl.s"
      | None -> false)
      || loaded_libxenctrl ()
    | exception End_of_file -> false
  in
  Printf.printf "%d domains, libxenctrl %s\n" (List.length ids)
    (if loaded_libxenctrl () then "loaded" else "not loaded")
