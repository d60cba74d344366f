(* Errors of the hypervisor, and no memory for buffers. *)

open World
open Externals

let test_faults () = check_faults basic

let test_no_memory () =
  let enomem = "12: Cannot allocate memory" in
  configure "domains=1000,fault=buffer:ENOMEM@1";
  check_string "the first buffer"
    ("Unable to open XC interface: " ^ enomem)
    (error_of (fun () -> ignore (Xenctrl.interface_open ())));
  let h = Xenctrl.interface_open () in
  configure "domains=1000,fault=buffer:ENOMEM@1";
  check_string "a larger one" enomem (error_of (fun () -> ignore (Xenctrl.domain_getinfolist h 0)));
  check_int "the handle goes on" 1000 (List.length (Xenctrl.domain_getinfolist h 0))

let tests = sim_only [ test "errno" test_faults; test "no memory" test_no_memory ]
