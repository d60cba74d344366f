(* A message is a header of four words in the machine's byte order, then the payload. *)

let header_length = 16
let payload_max = 4096
let xs_read = 2l
let xs_error = 16l

type t = {
  mutable fd : Unix.file_descr option;
  mutable failure : string option;
  mutable request : int32;
  mutable left : Mtime.Span.t;  (** Time that all further reads may take. *)
}

exception Failed of string

let failed fmt = Printf.ksprintf (fun message -> raise (Failed message)) fmt

(* {1 Connecting} *)

let socket path =
  let fd = Unix.socket ~cloexec:true PF_UNIX SOCK_STREAM 0 in
  match
    Unix.set_nonblock fd;
    Unix.connect fd (ADDR_UNIX path)
  with
  | () -> Some fd
  (* A daemon that does not accept: EAGAIN, once its backlog is full. *)
  | exception (Unix.Unix_error _ | Invalid_argument _) ->
    Unix.close fd;
    None

let device path =
  match Unix.openfile path [ O_RDWR; O_CLOEXEC; O_NONBLOCK ] 0 with
  | fd -> Some fd
  | exception Unix.Unix_error _ -> None

let connect ?(timeout = 1.) () =
  let places =
    match Sys.getenv_opt "XENSTORED_PATH" with
    | Some path -> [ (fun () -> socket path) ]
    | None ->
      [
        (fun () -> socket "/run/xenstored/socket");
        (fun () -> socket "/var/run/xenstored/socket");
        (fun () -> device "/dev/xen/xenbus");
      ]
  in
  List.find_map (fun place -> place ()) places
  |> Option.map (fun fd ->
         { fd = Some fd; failure = None; request = 0l; left = Span.of_seconds timeout })

let close t =
  Option.iter Unix.close t.fd;
  t.fd <- None

let failure t = t.failure

(* {1 Transfers}

   Each takes at most the time that [remaining] tells. An operation is tried before the descriptor is
   waited for: the kernel's device never says that it can be written to. *)

let rec wait ~remaining ~reading fd =
  let seconds = remaining () in
  if seconds <= 0. then failed "no answer in time";
  let read, write = if reading then ([ fd ], []) else ([], [ fd ]) in
  match Unix.select read write [] seconds with
  | [], [], [] -> failed "no answer in time"
  | _ -> ()
  | exception Unix.Unix_error (EINTR, _, _) -> wait ~remaining ~reading fd

let rec transfer ~remaining ~reading operation fd bytes offset length =
  if length > 0 then
    match operation fd bytes offset length with
    | 0 -> failed "the connection was closed"
    | n -> transfer ~remaining ~reading operation fd bytes (offset + n) (length - n)
    | exception Unix.Unix_error ((EINTR | EAGAIN | EWOULDBLOCK), _, _) ->
      wait ~remaining ~reading fd;
      transfer ~remaining ~reading operation fd bytes offset length

let send ~remaining fd bytes =
  (* A daemon that is gone is an error, not this program's end. *)
  let before = Sys.signal Sys.sigpipe Signal_ignore in
  Fun.protect
    ~finally:(fun () -> Sys.set_signal Sys.sigpipe before)
    (fun () ->
      transfer ~remaining ~reading:false Unix.single_write fd bytes 0 (Bytes.length bytes))

let receive ~remaining fd length =
  let bytes = Bytes.create length in
  transfer ~remaining ~reading:true Unix.read fd bytes 0 length;
  Bytes.to_string bytes

(* {1 Reading} *)

let exchange ~remaining fd ~request path =
  let payload = path ^ "\000" in
  let message = Bytes.create header_length in
  Bytes.set_int32_ne message 0 xs_read;
  Bytes.set_int32_ne message 4 request;
  Bytes.set_int32_ne message 8 0l;
  Bytes.set_int32_ne message 12 (Int32.of_int (String.length payload));
  (* In one piece: a daemon may read a message at a time. *)
  send ~remaining fd (Bytes.cat message (Bytes.of_string payload));
  let header = receive ~remaining fd header_length in
  let word i = String.get_int32_ne header (4 * i) in
  let length = word 3 in
  if Int32.unsigned_compare length (Int32.of_int payload_max) > 0 then
    failed "a reply of %lu bytes" length;
  if word 1 <> request || word 2 <> 0l then failed "a reply to another request";
  let answer = receive ~remaining fd (Int32.to_int length) in
  if word 0 = xs_read then Some answer
  else if word 0 = xs_error then None
  else failed "a reply of type %lu" (word 0)

let read t path =
  match t.fd with
  | None -> None
  | Some _ when String.length path >= payload_max || String.contains path '\000' -> None
  | Some fd -> (
    let started = Mtime_clock.counter () in
    let left () = Span.to_seconds t.left -. Span.to_seconds (Mtime_clock.count started) in
    t.request <- Int32.add t.request 1l;
    let answer =
      match exchange ~remaining:left fd ~request:t.request path with
      | answer -> Ok answer
      | exception Failed message -> Error message
      | exception Unix.Unix_error (e, _, _) -> Error (Unix.error_message e)
    in
    t.left <- Span.of_seconds (Float.max 0. (left ()));
    match answer with
    | Ok answer -> answer
    | Error message ->
      (* What else comes would be taken for replies to later requests. *)
      close t;
      t.failure <- Some message;
      None)
