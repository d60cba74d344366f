(* Xenctrl's handle, its domain list and what concerns one domain, on whatever hypervisor is there
   (see world.ml); the other externals are in test_control. Each group has a module of its own. *)

open World

let () =
  Alcotest.run
    (Printf.sprintf "Xenctrl on %s %s" (if on_sim then "xensim" else "Xen") release)
    [
      ("handle", Test_handle.tests);
      ("forks", Test_handle.forks);
      ("host", Test_host.tests);
      ("domain", Test_one_domain.tests);
      ("list", Test_list.tests);
      ("every domid", Test_list.every_domid);
      ("heap", Test_heap.tests);
      ("flat memory", Test_heap.flat_memory);
      ("faults", Test_faults.tests);
      ("threads", Test_threads.tests);
    ]
