(* Where there is no Xen a program starts, and learns so when it opens a handle. *)

let () =
  match Xenctrl.interface_open () with
  | _ ->
    prerr_endline "no_xen: a hypervisor is there";
    exit 1
  | exception Xenctrl.Error message ->
    print_endline ("no Xen: " ^ message);
    let expected = Sys.argv.(1) in
    let n = String.length expected in
    if String.length message < n || String.sub message 0 n <> expected then begin
      prerr_endline ("no_xen: expected: " ^ expected);
      exit 1
    end
