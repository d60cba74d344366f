(* Records in OCaml's heap: what they are made of, and what the collector does to them. *)

open Test_support
open World

let rec words v =
  if Obj.is_int v then 0
  else if Obj.tag v >= Obj.no_scan_tag then 1 + Obj.size v
  else
    let sum = ref (1 + Obj.size v) in
    for i = 0 to Obj.size v - 1 do
      sum := !sum + words (Obj.field v i)
    done;
    !sum

let test_shape () =
  configure "domains=100";
  let h = Xenctrl.interface_open () in
  let all = Xenctrl.domain_getinfolist h 0 @ [ Xenctrl.domain_getinfo h 0 ] in
  List.iter
    (fun (d : Xenctrl.domaininfo) ->
      check_int "fields" 17 (Obj.size (Obj.repr d));
      check_int "handle" 16 (Array.length d.handle);
      (match d.arch_config with
      | X86 x86 ->
        (* Upstream's stub allocates one field of the two. *)
        check_int "x86" 2 (Obj.size (Obj.repr x86));
        check_bool "misc_flags" true (x86.misc_flags = [])
      | ARM _ -> Alcotest.fail "ARM");
      check_int "words" (50 + words (Obj.repr d.arch_config)) (words (Obj.repr d)))
    all;
  (* Mutable parts are each record's own, immutable ones are shared. *)
  let again = Xenctrl.domain_getinfo h 0 and first = Xenctrl.domain_getinfo h 0 in
  check_bool "handle" true (again.handle != first.handle);
  again.handle.(0) <- 99;
  check_bool "untouched" true ((Xenctrl.domain_getinfo h 0).handle.(0) <> 99);
  check_bool "arch_config" true (again.arch_config == first.arch_config);
  (* It can be marshalled, hashed and compared like any other value. *)
  let copy : Xenctrl.domaininfo list = Marshal.from_string (Marshal.to_string all []) 0 in
  check_bool "marshalled" true (copy = all);
  check_bool "hashed" true (Hashtbl.hash copy = Hashtbl.hash all)

(* With other settings of the collector. *)
let with_gc change f =
  let control = Gc.get () in
  Fun.protect
    ~finally:(fun () -> Gc.set control)
    (fun () ->
      Gc.set (change control);
      f ())

(* Records stay what they are while the collector moves them. *)
let test_collections () =
  with_guests 200 (fun h ->
      let reference = Xenctrl.domain_getinfolist h 0 in
      with_gc (fun control -> { control with minor_heap_size = 4096 }) (fun () ->
          let kept = Array.make 50 [] in
          for i = 0 to 499 do
            (* The list is built wherever in the minor heap this leaves it. *)
            ignore (Sys.opaque_identity (List.init (i * 7 mod 900) Fun.id));
            kept.(i mod 50) <- Xenctrl.domain_getinfolist h 0;
            if i mod 100 = 99 then Gc.compact ()
          done;
          Array.iter (fun list -> check_records "kept" reference list) kept))

(* A list that fits into the minor heap is not moved while it is built: what a collection finds of
   it is its first few records. (Where every allocation collects, that is so in any case.) On OCaml 4
   that is so whatever the major collector is at: with little overhead it goes far in each slice, to
   the end of a cycle too, for what is allocated in its heap beside each list. *)
let test_promotion () =
  let promoted words list =
    (* How large the minor heap is, the library sees when it first has it emptied. *)
    for _ = 1 to 10 do list () done;
    let before = Gc.quick_stat () in
    for _ = 1 to 100 do
      if words > 0 then ignore (Sys.opaque_identity (Bytes.create (8 * words)));
      list ()
    done;
    let after = Gc.quick_stat () in
    let collections = after.minor_collections - before.minor_collections in
    check_bool "they do not fit together" true (collections >= 50);
    let each = (after.promoted_words -. before.promoted_words) /. float collections in
    if each > 500. then
      Alcotest.failf "beside %d words a collection promoted %.0f" words each
  in
  with_guests 200 (fun h ->
      let list () = ignore (Sys.opaque_identity (Xenctrl.domain_getinfolist h 0)) in
      List.iter
        (fun (space_overhead, words) ->
          with_gc
            (fun control -> { control with minor_heap_size = 16384; space_overhead })
            (fun () -> promoted words list))
        ((80, 0) :: (if Sys.ocaml_version.[0] = '4' then [ (1, 8000); (1, 12_000) ] else [])))

(* A leak grows with every thousand calls, whatever else the process does with its memory. *)
let test_flat_memory () =
  with_guests (min 1000 most_guests) (fun h ->
      let growth calls =
        let before = Memory.resident_kib () in
        for _ = 1 to calls do
          ignore (Sys.opaque_identity (Xenctrl.domain_getinfolist h 0));
          ignore (Sys.opaque_identity (Xenctrl.domain_getinfo h 0));
          try Xenctrl.domain_pause h 32000 with Xenctrl.Error _ -> ()
        done;
        Gc.compact ();
        Memory.resident_kib () - before
      in
      let least = List.fold_left min max_int (List.init 4 (fun _ -> growth 1000)) in
      if least > 16 then Alcotest.failf "every 1000 calls leave %d KiB" least)

let tests =
  [
    test "shape" test_shape;
    test "collections" test_collections;
    test "promotion" test_promotion;
  ]

(* A group of its own: AddressSanitizer keeps what is freed. *)
let flat_memory = [ test "lists" test_flat_memory ]
