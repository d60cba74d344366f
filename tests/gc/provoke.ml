(* Begins when the program does. PROVOKE_MEMPROF=RATE samples that share of all words that are
   allocated, collects at each sample, and keeps some. *)

external begin_ : unit -> unit = "provoke_begin"
external collections : unit -> int = "provoke_collections"

let sampled = ref 0

let memprof rate =
  let kept = Array.make 64 None in
  let callback (_ : Gc.Memprof.allocation) =
    incr sampled;
    if !sampled mod 8 = 0 then Gc.minor ();
    if !sampled mod 1024 = 0 then Gc.full_major ();
    kept.(!sampled mod 64) <- Some !sampled;
    Some !sampled
  in
  (* unit on OCaml 4. *)
  ignore
    (Gc.Memprof.start ~sampling_rate:rate ~callstack_size:4
       { Gc.Memprof.null_tracker with alloc_minor = callback; alloc_major = callback });
  at_exit (fun () ->
      Gc.Memprof.stop ();
      Printf.eprintf "provoke: %d samples\n" !sampled;
      (* A net that nothing fell into is torn. *)
      if !sampled = 0 then exit 3)

let () =
  begin_ ();
  Option.iter (fun rate -> memprof (float_of_string rate)) (Sys.getenv_opt "PROVOKE_MEMPROF");
  at_exit (fun () ->
      Printf.eprintf "provoke: %d collections\n" (collections ());
      if collections () = 0 then exit 3)
