(* ending WAY REPORT: ends in that way, in the middle of a hypercall or with handles open; xensim's
   counters go to REPORT. *)

open Test_support

let in_the_middle h =
  ignore (Thread.create (fun () -> Xenctrl.domain_pause h 2) ());
  while Counters.get "domctl.pausedomain" = 0 do
    Thread.yield ()
  done

let () =
  let way = Sys.argv.(1) in
  Xensim.configure
    (Printf.sprintf "domains=5,domids=dense,delay=domctl.pausedomain:300ms,report=%s" Sys.argv.(2));
  let h = Xenctrl.interface_open () in
  match way with
  | "exit" ->
    in_the_middle h;
    exit 7
  | "exit-in-handler" ->
    Sys.set_signal Sys.sigalrm (Signal_handle (fun _ -> exit 8));
    ignore (Unix.setitimer ITIMER_REAL { it_interval = 0.; it_value = 0.05 });
    Xenctrl.domain_pause h 2;
    Unix.sleepf 5.;
    exit 1
  | "uncaught" ->
    in_the_middle h;
    raise Exit
  | "at_exit" ->
    at_exit (fun () -> if List.length (Xenctrl.domain_getinfolist h 0) <> 5 then Unix._exit 1)
  | "open" -> ignore (Sys.opaque_identity (List.init 3 (fun _ -> Xenctrl.interface_open ())))
  | _ ->
    prerr_endline "usage: ending WAY REPORT";
    exit 64
