type request = { kind : int32; request : int32; transaction : int32; payload : string }
type action = Send of string | Hang_up

let message ?(kind = 2l) ?(transaction = 0l) ?length request payload =
  let header = Bytes.create 16 in
  let length = Option.value length ~default:(String.length payload) in
  Bytes.set_int32_ne header 0 kind;
  Bytes.set_int32_ne header 4 request;
  Bytes.set_int32_ne header 8 transaction;
  Bytes.set_int32_ne header 12 (Int32.of_int length);
  Bytes.to_string header ^ payload

let answer value { kind; request; payload; _ } =
  let path = String.sub payload 0 (String.length payload - 1) in
  assert (kind = 2l && payload.[String.length payload - 1] = '\000');
  match value path with
  | Some value -> [ Send (message request value) ]
  | None -> [ Send (message ~kind:16l request "ENOENT\000") ]

let rec receive fd bytes offset =
  if offset < Bytes.length bytes then
    match Unix.read fd bytes offset (Bytes.length bytes - offset) with
    | 0 -> raise End_of_file
    | n -> receive fd bytes (offset + n)

let read_request fd =
  let header = Bytes.create 16 in
  receive fd header 0;
  let word i = Bytes.get_int32_ne header (4 * i) in
  let payload = Bytes.create (Int32.to_int (word 3)) in
  receive fd payload 0;
  { kind = word 0; request = word 1; transaction = word 2; payload = Bytes.to_string payload }

let rec serve meet fd =
  let rec act = function
    | [] -> true
    | Send text :: rest ->
      ignore (Unix.write_substring fd text 0 (String.length text));
      act rest
    | Hang_up :: _ -> false
  in
  if act (meet (read_request fd)) then serve meet fd

(* Until the listening socket is shut down. *)
let rec accept meet listening =
  match Unix.accept ~cloexec:true listening with
  | fd, _ ->
    (* The client may be gone first. *)
    (try serve meet fd with End_of_file | Unix.Unix_error _ -> ());
    Unix.close fd;
    accept meet listening
  | exception Unix.Unix_error _ -> ()

let with_ meet f =
  ignore (Sys.signal Sys.sigpipe Signal_ignore);
  let path = Filename.temp_file "xenstored" ".socket" in
  Sys.remove path;
  let listening = Unix.socket ~cloexec:true PF_UNIX SOCK_STREAM 0 in
  Unix.bind listening (ADDR_UNIX path);
  Unix.listen listening 5;
  let server = Thread.create (accept meet) listening in
  let before = Sys.getenv_opt "XENSTORED_PATH" in
  Unix.putenv "XENSTORED_PATH" path;
  Fun.protect f ~finally:(fun () ->
      Unix.putenv "XENSTORED_PATH" (Option.value before ~default:"/nonexistent");
      Unix.shutdown listening SHUTDOWN_ALL;
      Thread.join server;
      Unix.close listening;
      Sys.remove path)
