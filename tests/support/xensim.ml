external available : unit -> bool = "test_support_xensim_available"

(* None where it was done, otherwise what was wrong. *)
external configure_stub : string -> string option = "test_support_xensim_configure"

let configure text =
  if not (available ()) then failwith "Xensim.configure: this is not xensim";
  if String.contains text '\000' then failwith "Xensim.configure: a NUL character";
  match configure_stub text with
  | None -> ()
  | Some error -> failwith error
