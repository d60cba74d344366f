(* Xenmmap, on files. *)

let test name f = Alcotest.test_case name `Quick f
let check_string = Alcotest.(check string)

let invalid what f =
  match f () with
  | _ -> Alcotest.failf "%s: accepted" what
  | exception Invalid_argument _ -> ()

let with_file contents f =
  let path = Filename.temp_file "xenmmap" "" in
  let fd = Unix.openfile path [ O_RDWR ] 0o600 in
  Fun.protect
    ~finally:(fun () ->
      Unix.close fd;
      Sys.remove path)
    (fun () ->
      ignore (Unix.write_substring fd contents 0 (String.length contents));
      f fd)

let page = Xenmmap.getpagesize ()

let test_pages () = Alcotest.(check int) "a page" 4096 page

let test_read_write () =
  with_file (String.make page 'a' ^ String.make page 'b') (fun fd ->
      let m = Xenmmap.mmap fd RDWR SHARED (2 * page) 0 in
      check_string "across pages" "aabb" (Xenmmap.read m (page - 2) 4);
      check_string "nothing at the end" "" (Xenmmap.read m (2 * page) 0);
      Xenmmap.write m "hello\000world" 10;
      check_string "written" "ahello\000worlda" (Xenmmap.read m 9 13);
      (* Shared: the file has it. *)
      ignore (Unix.lseek fd 10 SEEK_SET);
      let bytes = Bytes.create 11 in
      ignore (Unix.read fd bytes 0 11);
      check_string "in the file" "hello\000world" (Bytes.to_string bytes);
      Xenmmap.unmap m;
      let second = Xenmmap.mmap fd RDONLY PRIVATE page page in
      check_string "from an offset" "bbb" (Xenmmap.read second 0 3);
      Xenmmap.unmap second)

let test_private () =
  with_file (String.make page 'a') (fun fd ->
      let m = Xenmmap.mmap fd RDWR PRIVATE page 0 in
      let shared = Xenmmap.mmap fd RDONLY SHARED page 0 in
      Xenmmap.write m "x" 0;
      check_string "here" "x" (Xenmmap.read m 0 1);
      check_string "not there" "a" (Xenmmap.read shared 0 1);
      Xenmmap.unmap m;
      Xenmmap.unmap shared)

let test_bounds () =
  with_file (String.make page 'a') (fun fd ->
      let m = Xenmmap.mmap fd RDWR SHARED page 0 in
      let all = [ -1; min_int; max_int; page + 1; 1 lsl 32; (1 lsl 32) + 1 ] in
      List.iter
        (fun n ->
          invalid "start" (fun () -> Xenmmap.read m n 1);
          invalid "start" (fun () -> Xenmmap.write m "x" n);
          invalid "length" (fun () -> Xenmmap.read m 0 n))
        all;
      invalid "the end" (fun () -> Xenmmap.read m (page - 1) 2);
      (* Sums that wrap. *)
      invalid "sum" (fun () -> Xenmmap.read m 1 max_int);
      invalid "too long" (fun () -> Xenmmap.write m (String.make (page + 1) 'x') 0);
      List.iter (fun n -> invalid "map" (fun () -> Xenmmap.mmap fd RDWR SHARED n 0)) [ -1; 1 lsl 31 ];
      check_string "intact" (String.make page 'a') (Xenmmap.read m 0 page);
      Xenmmap.unmap m)

let test_unmap () =
  with_file (String.make page 'a') (fun fd ->
      let m = Xenmmap.mmap fd RDWR SHARED page 0 in
      Xenmmap.unmap m;
      Xenmmap.unmap m;
      invalid "read" (fun () -> Xenmmap.read m 0 1);
      invalid "write" (fun () -> Xenmmap.write m "x" 0))

(* To write there would end the process. *)
let test_read_only () =
  with_file (String.make page 'a') (fun fd ->
      List.iter
        (fun sharing ->
          let m = Xenmmap.mmap fd RDONLY sharing page 0 in
          invalid "write" (fun () -> Xenmmap.write m "x" 0);
          check_string "read" "a" (Xenmmap.read m 0 1);
          check_string "to its end" (String.make page 'a') (Xenmmap.read m 0 page);
          Xenmmap.unmap m;
          invalid "write after unmap" (fun () -> Xenmmap.write m "x" 0))
        [ Xenmmap.SHARED; PRIVATE ];
      let m = Xenmmap.mmap fd WRONLY SHARED page 0 in
      Xenmmap.write m "x" 0;
      Xenmmap.unmap m)

let test_refused () =
  with_file "" (fun fd ->
      match Xenmmap.mmap fd RDWR SHARED 0 0 with
      | _ -> Alcotest.fail "an empty mapping"
      | exception Failure message -> check_string "mmap" "mmap: 22: Invalid argument" message)

(* The block moves, the memory does not. *)
let test_collections () =
  with_file (String.make page 'a') (fun fd ->
      let ms = List.init 1000 (fun _ -> Xenmmap.mmap fd RDWR SHARED page 0) in
      Gc.compact ();
      Xenmmap.write (List.hd ms) "moved" 0;
      Gc.full_major ();
      List.iter (fun m -> check_string "the same" "moved" (Xenmmap.read m 0 5)) ms;
      List.iter Xenmmap.unmap ms)

let () =
  Alcotest.run "Xenmmap"
    [
      ( "mmap",
        [
          test "page size" test_pages;
          test "read and write" test_read_write;
          test "private" test_private;
          test "bounds" test_bounds;
          test "unmap" test_unmap;
          test "read only" test_read_only;
          test "refused" test_refused;
          test "collections" test_collections;
        ] );
    ]
