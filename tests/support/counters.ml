(* The numbers are those of enum source in counters_stubs.c. *)
external source_number : unit -> int = "test_support_counters_source"
external get_stub : string -> int = "test_support_counters_get"
external reset : unit -> unit = "test_support_counters_reset"

(* ld.so only warns of what it cannot preload. *)
let preloaded () =
  match Sys.getenv_opt "LD_PRELOAD" with
  | None -> false
  | Some names ->
    List.exists
      (fun name -> Filename.basename name = "libcount.so")
      (List.concat_map (String.split_on_char ':') (String.split_on_char ' ' names))

let source () =
  match source_number () with
  | 1 -> `Xensim
  | 2 -> `Preload
  | _ when preloaded () -> failwith "Counters: LD_PRELOAD names libcount.so, and it does not count"
  | _ -> `None

let get name =
  if source () = `None then failwith "Counters.get: nothing counts here";
  let count = if String.contains name '\000' then -1 else get_stub name in
  if count < 0 then invalid_arg ("Counters.get: no counter " ^ name);
  count
