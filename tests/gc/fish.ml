(* fish right|broken: builds records by the builder with the write barrier, or by that without, and
   says whether they are what they should be. *)

type x86 = { emulation_flags : int list; misc_flags : int list }
type arch = ARM of int | X86 of x86

external right : int -> Obj.t = "fish_right"
external broken : int -> Obj.t = "fish_broken"

let flags number =
  List.rev (List.filter (fun bit -> number land (1 lsl bit) <> 0) (List.init 11 Fun.id))

let is_as_built number record =
  let ints = List.init 16 (fun i -> (Obj.obj (Obj.field record i) : int)) in
  ints = List.init 16 (fun i -> number + i)
  &&
  match (Obj.obj (Obj.field record 16) : arch) with
  | X86 { emulation_flags; misc_flags } -> emulation_flags = flags number && misc_flags = []
  | ARM _ -> false

let () =
  let build =
    match Sys.argv with
    | [| _; "right" |] -> right
    | [| _; "broken" |] -> broken
    | _ ->
      prerr_endline "usage: fish right|broken";
      exit 2
  in
  let records = Array.init 500 (fun number -> build number) in
  Gc.full_major ();
  Array.iteri
    (fun number record ->
      if not (is_as_built number record) then begin
        Printf.printf "record %d is not what was built\n" number;
        exit 1
      end)
    records;
  print_endline "every record is what was built"
