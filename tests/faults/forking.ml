(* forking threads: forks while other threads open handles and list.
   forking handler: a handler of C's, in the middle of a call of Xen's library, forks.
   Whoever hangs is killed by its alarm. *)

external fork_at_alarm : unit -> unit = "forking_fork_at_alarm"
external forked : unit -> int = "forking_forked"

let domains () = List.length (Xenctrl.domain_getinfolist (Xenctrl.interface_open ()) 0)
let expected = domains ()
let check_end pid = if snd (Unix.waitpid [] pid) <> WEXITED 0 then exit 1

let threads () =
  ignore (Unix.alarm 250);
  let stop = Atomic.make false in
  let work () =
    while not (Atomic.get stop) do
      ignore (domains ())
    done
  in
  let threads = List.init 3 (fun _ -> Thread.create work ()) in
  for _ = 1 to 100 do
    Thread.yield ();
    match Unix.fork () with
    | 0 ->
      ignore (Unix.alarm 60);
      Unix._exit (if domains () = expected then 0 else 1)
    | pid -> check_end pid
  done;
  Atomic.set stop true;
  List.iter Thread.join threads

let handler () =
  fork_at_alarm ();
  ignore (Unix.setitimer ITIMER_REAL { it_interval = 0.; it_value = 0.1 });
  if domains () <> expected then exit 2;
  check_end (forked ())

let () = match Sys.argv.(1) with "threads" -> threads () | _ -> handler ()
