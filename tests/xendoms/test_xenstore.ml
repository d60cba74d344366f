(* The client of xenstore, against servers that behave and servers that do not. *)

open Xendoms_lib
open Fake_xenstored

let check_value = Alcotest.(check (option string))
let check_bool = Alcotest.(check bool)
let test name f = Alcotest.test_case name `Quick f

let connected ?timeout f =
  match Xenstore.connect ?timeout () with
  | None -> Alcotest.fail "no connection"
  | Some client -> Fun.protect ~finally:(fun () -> Xenstore.close client) (fun () -> f client)

(* {1 A server that behaves} *)

let values = function
  | "/local/domain/0/name" -> Some "Domain-0"
  | "/empty" -> Some ""
  | "/longest" -> Some (String.make 4096 'x')
  | "/nul" -> Some "a\000b"
  | _ -> None

let check_all client =
  List.iter
    (fun path -> check_value path (values path) (Xenstore.read client path))
    [ "/local/domain/0/name"; "/none"; "/empty"; "/longest"; "/nul"; "/none"; "/local/domain/0/name" ];
  check_value "it goes on" None (Xenstore.failure client)

let test_answers () =
  let requests = ref [] in
  let meet request =
    requests := request :: !requests;
    answer values request
  in
  with_ meet (fun () -> connected check_all);
  let numbers = List.map (fun r -> r.request) !requests in
  check_bool "no transaction" true (List.for_all (fun r -> r.transaction = 0l) !requests);
  check_bool "each request has its number" true
    (List.length (List.sort_uniq compare numbers) = List.length numbers)

(* What a stream socket may do to any message. *)
let test_pieces () =
  let pieces = function
    | Send text ->
      let pieces = min 40 (String.length text) in
      List.init pieces (fun i ->
          if i < pieces - 1 then Send (String.sub text i 1)
          else Send (String.sub text i (String.length text - i)))
    | Hang_up -> [ Hang_up ]
  in
  with_ (fun request -> List.concat_map pieces (answer values request)) (fun () -> connected check_all)

let test_paths () =
  with_ (answer values) (fun () ->
      connected (fun client ->
          check_value "NUL" None (Xenstore.read client "/local\000/domain");
          check_value "too long" None (Xenstore.read client (String.make 4096 '/'));
          (* Nothing of these was sent. *)
          check_all client))

(* {1 Servers that do not} *)

(* None, at this request and at all later ones, and why. *)
let check_fails ?timeout ~why meet () =
  with_ meet (fun () ->
      connected ?timeout (fun client ->
          check_value "first" None (Xenstore.read client "/local/domain/0/name");
          check_value "later" None (Xenstore.read client "/local/domain/0/name");
          check_value "why" (Some why) (Xenstore.failure client)))

let hostile =
  let replies name why f =
    test name (check_fails ~why (fun { request; _ } -> f request))
  in
  let closed = "the connection was closed" in
  [
    replies "no reply" closed (fun _ -> [ Hang_up ]);
    replies "half a header" closed (fun n -> [ Send (String.sub (message n "value") 0 7); Hang_up ]);
    replies "a header alone" closed (fun n -> [ Send (message ~length:5 n ""); Hang_up ]);
    replies "half a value" closed (fun n -> [ Send (message ~length:10 n "value"); Hang_up ]);
    replies "too long" "a reply of 4097 bytes" (fun n -> [ Send (message n (String.make 4097 'x')) ]);
    replies "far too long" "a reply of 4294967295 bytes" (fun n ->
        [ Send (message ~length:(-1) n "value") ]);
    replies "an error too long" "a reply of 2147483648 bytes" (fun n ->
        [ Send (message ~kind:16l ~length:0x8000_0000 n "") ]);
    replies "another type" "a reply of type 11" (fun n -> [ Send (message ~kind:11l n "value") ]);
    replies "an event" "a reply of type 15" (fun n ->
        [ Send (message ~kind:15l n "@introduceDomain\000token\000") ]);
    replies "another request's" "a reply to another request" (fun n ->
        [ Send (message (Int32.succ n) "value") ]);
    replies "another transaction's" "a reply to another request" (fun n ->
        [ Send (message ~transaction:1l n "value") ]);
    replies "nonsense" "a reply of 2021161080 bytes" (fun _ -> [ Send (String.make 64 'x') ]);
    test "silence" (check_fails ~timeout:0.2 ~why:"no answer in time" (fun _ -> []));
    test "half a header, then silence"
      (check_fails ~timeout:0.2 ~why:"no answer in time" (fun _ -> [ Send "1234567" ]));
    test "a header, then silence"
      (check_fails ~timeout:0.2 ~why:"no answer in time" (fun { request; _ } ->
           [ Send (message ~length:5 request "val") ]));
  ]

(* The time is for all reads together, however quick the first ones are. *)
let test_slow () =
  let meet request =
    Thread.delay 0.05;
    answer values request
  in
  with_ meet (fun () ->
      connected ~timeout:0.5 (fun client ->
          let rec until_failure n =
            if n = 0 then Alcotest.fail "100 slow replies were waited for"
            else begin
              ignore (Xenstore.read client "/empty");
              if Xenstore.failure client = None then until_failure (n - 1)
            end
          in
          until_failure 100;
          check_value "why" (Some "no answer in time") (Xenstore.failure client)))

(* A server that is gone between two requests must not end the program by a signal. *)
let test_gone () =
  with_
    (fun request -> answer values request @ [ Hang_up ])
    (fun () ->
      ignore (Sys.signal Sys.sigpipe Signal_default);
      connected (fun client ->
          check_value "first" (Some "") (Xenstore.read client "/empty");
          check_value "second" None (Xenstore.read client "/empty");
          check_value "third" None (Xenstore.read client "/empty");
          check_bool "failed" true (Xenstore.failure client <> None)))

let test_nobody () =
  let path = Filename.temp_file "xenstored" ".socket" in
  let connects what =
    Unix.putenv "XENSTORED_PATH" path;
    check_bool what false (Xenstore.connect () <> None)
  in
  connects "an ordinary file";
  Sys.remove path;
  connects "nothing";
  let socket = Unix.socket PF_UNIX SOCK_STREAM 0 in
  Unix.bind socket (ADDR_UNIX path);
  connects "a socket that nobody listens on";
  Unix.close socket;
  connects "a socket that is left over";
  Sys.remove path;
  Unix.putenv "XENSTORED_PATH" (String.make 200 'x');
  check_bool "a path too long for a socket" false (Xenstore.connect () <> None)

let () =
  Alcotest.run "xenstore"
    [
      ( "answers",
        [ test "values and errors" test_answers; test "pieces" test_pieces; test "paths" test_paths ]
      );
      ("hostile", hostile);
      ( "absent",
        [ test "slow" test_slow; test "gone" test_gone; test "nobody" test_nobody ] );
    ]
