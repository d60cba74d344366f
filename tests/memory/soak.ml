(* soak [MILLIONTHS]: a million lists, a million calls that fail, 100,000 handles that are opened and
   dropped (or so many millionths of that), each leaving resident memory, descriptors and hypercall
   buffers as they were. On xensim. *)

open Test_support

let share =
  match Sys.argv with
  | [| _ |] -> 1_000_000
  | [| _; millionths |] when int_of_string_opt millionths <> None -> int_of_string millionths
  | _ ->
    prerr_endline "usage: soak [MILLIONTHS]";
    exit 2

let descriptors () = Array.length (Sys.readdir "/proc/self/fd")

(* What may come and go with the collector's phases; a byte lost in each call is as much. *)
let slack_kib = 1000

let failed = ref false

(* [f i] for each of [most] calls. What the first tenth leaves is what there has to be. *)
let soak what most f =
  let most = most * share / 1_000_000 in
  let step = max 1 (most / 10) in
  let settled = ref 0 in
  for i = 1 to most do
    f i;
    if i mod step = 0 then begin
      Gc.full_major ();
      let now = Memory.resident_kib () in
      if i = step then settled := now;
      Printf.printf "%s: %d, resident %d KiB (%+d)\n%!" what i now (now - !settled);
      if now - !settled > slack_kib then failed := true
    end
  done

let () =
  Xensim.configure "domains=20,domids=dense";
  let before = (descriptors (), Counters.get "handles", Counters.get "mapped_bytes") in
  let h = ref (Some (Xenctrl.interface_open ())) in
  let handle () = Option.get !h in
  soak "lists" 1_000_000 (fun i ->
      if List.length (Xenctrl.domain_getinfolist (handle ()) 0) <> 20 then
        failwith (Printf.sprintf "list %d is another" i));
  soak "failures" 1_000_000 (fun i ->
      match
        if i mod 4 = 0 then Xenctrl.domain_pause (handle ()) (-i)
        else if i mod 4 = 1 then Xenctrl.domain_sethandle (handle ()) 1 "no uuid"
        else if i mod 4 = 2 then ignore (Xenctrl.domain_getinfo (handle ()) 30000)
        else Xenctrl.domain_pause (handle ()) 30000
      with
      | () -> failwith (Printf.sprintf "call %d succeeds" i)
      | exception (Xenctrl.Error _ | Invalid_argument _) -> ());
  soak "handles" 100_000 (fun _ ->
      ignore (Sys.opaque_identity (Xenctrl.version (Xenctrl.interface_open ()))));
  h := None;
  Gc.full_major ();
  Gc.full_major ();
  let show (fds, handles, bytes) =
    Printf.sprintf "%d descriptors, %d handles, %d bytes mapped" fds handles bytes
  in
  let after = (descriptors (), Counters.get "handles", Counters.get "mapped_bytes") in
  Printf.printf "before: %s\nafter:  %s\n" (show before) (show after);
  if before <> after then failed := true;
  if !failed then begin
    print_endline "memory is not flat";
    exit 1
  end
