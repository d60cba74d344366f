let asked_for () = Sys.getenv_opt "XENSIM" <> None

let file dir name =
  match Unix.stat (Filename.concat dir name) with
  | { st_kind = S_REG; st_dev; st_ino; _ } -> Some (st_dev, st_ino)
  | _ | (exception Unix.Unix_error _) -> None

(* One file under the names of both libraries: only xensim has that. *)
let is_xensim dir =
  match file dir "libxencall.so.1" with
  | Some _ as xencall -> xencall = file dir "libxenforeignmemory.so.1"
  | None -> false

let library_path () =
  match Sys.getenv_opt "LD_LIBRARY_PATH" with
  | None | Some "" -> []
  | Some path -> String.split_on_char ':' path

let entered () =
  match List.find_opt (fun dir -> file dir "libxencall.so.1" <> None) (library_path ()) with
  | Some dir -> is_xensim dir
  | None -> false

(* The directory of the checkout in whose _build a program is. *)
let rec checkout dir =
  let parent = Filename.dirname dir in
  if Filename.basename dir = "_build" then Some parent
  else if parent = dir then None
  else checkout parent

let places program =
  match Sys.getenv_opt "XENSIM_DIR" with
  | Some dir -> [ dir ]
  | None ->
    let dir = Filename.dirname program in
    let installed = Filename.concat (Filename.dirname dir) "lib/xensim" in
    let built = Option.map (fun root -> Filename.concat root "target/xensim") (checkout dir) in
    installed :: Option.to_list built

let absolute dir = if Filename.is_relative dir then Filename.concat (Sys.getcwd ()) dir else dir

let environment dir =
  let is_path binding =
    match String.index_opt binding '=' with
    | Some i -> String.sub binding 0 i = "LD_LIBRARY_PATH"
    | None -> false
  in
  let others = List.filter (fun b -> not (is_path b)) (Array.to_list (Unix.environment ())) in
  let path = String.concat ":" (absolute dir :: library_path ()) in
  Array.of_list (("LD_LIBRARY_PATH=" ^ path) :: others)

let enter () =
  if (not (asked_for ())) || entered () then Ok ()
  else
    let program =
      match Unix.readlink "/proc/self/exe" with
      | program -> program
      | exception Unix.Unix_error _ -> Sys.executable_name
    in
    let places = places program in
    match List.find_opt is_xensim places with
    | None ->
      Error
        (Printf.sprintf
           "XENSIM is set, but there is no xensim in %s (a checkout's `make sim' builds it; \
            XENSIM_DIR names its directory)"
           (String.concat " or " places))
    | Some dir -> (
      try Unix.execve program Sys.argv (environment dir)
      with Unix.Unix_error (e, _, _) ->
        Error (Printf.sprintf "cannot execute %s: %s" program (Unix.error_message e)))
