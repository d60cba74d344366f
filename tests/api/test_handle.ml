(* A handle: opened and closed, collected, shared by the process, over forks, refused. *)

open Test_support
open World

let closed = "9: Bad file descriptor: the handle is closed"

let test_open_close () =
  configure "domains=5";
  let h = Xenctrl.interface_open () in
  check_bool "a list" true (Xenctrl.domain_getinfolist h 0 <> []);
  interface_close h;
  check_string "use after close" closed
    (error_of (fun () -> ignore (Xenctrl.domain_getinfolist h 0)));
  check_string "use after close" closed (error_of (fun () -> ignore (Xenctrl.version h)));
  check_string "second close" closed (error_of (fun () -> interface_close h))

let open_descriptors () = Array.length (Sys.readdir "/proc/self/fd")

let test_handles_are_collected () =
  configure "domains=5";
  let before = open_descriptors () in
  (* Many processes may open no more than 1024, and the collector knows nothing of that. *)
  let most = ref 0 in
  for i = 1 to 2000 do
    ignore (Sys.opaque_identity (Xenctrl.interface_open ()));
    if i mod 50 = 0 then most := max !most (open_descriptors () - before)
  done;
  if !most > 900 then Alcotest.failf "%d descriptors at once" !most;
  for _ = 1 to 200 do
    ignore (Xenctrl.domain_getinfolist (Xenctrl.interface_open ()) 0)
  done;
  Gc.full_major ();
  Gc.full_major ();
  check_int "descriptors" before (open_descriptors ());
  if on_sim then check_int "buffers" 0 (Counters.get "mapped_bytes")

let test_with_intf () =
  configure "domains=5";
  Xenctrl.close_handle ();
  check_bool "none yet" true (Xenctrl.get_handle () = None);
  let h = Xenctrl.with_intf Fun.id in
  check_bool "one for all" true (Xenctrl.with_intf Fun.id == h);
  check_bool "that one" true (match Xenctrl.get_handle () with Some g -> g == h | None -> false);
  check_bool "exceptions pass" true
    (match Xenctrl.with_intf (fun _ -> raise Exit) with
    | () -> false
    | exception Exit -> true);
  Xenctrl.close_handle ();
  check_bool "forgotten" true (Xenctrl.get_handle () = None);
  (* Who still has it may use it. *)
  ignore (Xenctrl.version h);
  let another = Xenctrl.with_intf Fun.id in
  check_bool "another" true (another != h);
  (* Closed under it. *)
  interface_close another;
  check_bool "no more" true (Xenctrl.get_handle () = None);
  check_bool "a third" true (Xenctrl.with_intf (fun g -> Xenctrl.domain_getinfolist g 0 <> []))

let test_fork () =
  configure "domains=5";
  let h = Xenctrl.interface_open () in
  let own = Xenctrl.with_intf Fun.id in
  let closed_there = Xenctrl.interface_open () in
  ignore (Xenctrl.domain_getinfolist h 0);
  let expect what condition = if not condition then failwith what in
  in_child (fun () ->
      (* Closing touches neither libxencall nor buffers that the child does not have. *)
      Counters.reset ();
      interface_close closed_there;
      if on_sim then expect "buffers freed" (Counters.get "buffer_frees" = 0);
      expect "closed" (error_of (fun () -> interface_close closed_there) = closed);
      expect "get_handle" (Xenctrl.get_handle () = None);
      expect "with_intf" (Xenctrl.with_intf (fun g -> g != own && Xenctrl.domain_getinfolist g 0 <> []));
      expect "own handle" (Xenctrl.domain_getinfolist (Xenctrl.interface_open ()) 0 <> []);
      (* An inherited one is opened anew by its first call, and freed as any other. *)
      expect "inherited handle" (Xenctrl.domain_getinfolist h 0 <> []);
      if on_sim then begin
        let frees, handles = (Counters.get "buffer_frees", Counters.get "handles") in
        interface_close h;
        expect "its buffers" (Counters.get "buffer_frees" > frees);
        expect "its own handle" (Counters.get "handles" = handles - 1)
      end;
      (* The parent's handle dies here too, and must leave the parent's in peace. *)
      Gc.full_major ());
  check_bool "the parent goes on" true (Xenctrl.domain_getinfolist h 0 <> []);
  check_bool "with its handle" true (Xenctrl.with_intf (fun g -> g == own));
  check_bool "and the other" true (Xenctrl.domain_getinfolist closed_there 0 <> [])

(* As daemons do it: a handle is opened first of all, its opener goes into the background by two
   forks, and there the handle is used, here by many threads at once. *)
let test_daemon () =
  configure "domains=3";
  let h = Xenctrl.interface_open () in
  let domid = Xenctrl.domain_create h config in
  let frame = Int64.to_nativeint (Xenctrl.domain_getinfo h domid).shared_info_frame in
  let all = domids (Xenctrl.domain_getinfolist h 0) in
  let use () =
    assert (domids (Xenctrl.domain_getinfolist h 0) = all);
    assert ((Xenctrl.domain_getinfo h domid).domid = domid);
    Xenmmap.unmap (Xenctrl.map_foreign_range h domid (Xenmmap.getpagesize ()) frame)
  in
  in_child (fun () ->
      in_child (fun () ->
          let handles () = if on_sim then Counters.get "handles" else 1 in
          let before = handles () and failed = Atomic.make 0 in
          let work () = try use () with _ -> Atomic.incr failed in
          List.iter Thread.join (List.init 8 (fun _ -> Thread.create work ()));
          assert (Atomic.get failed = 0);
          (* libxencall's and libxenforeignmemory's. *)
          if on_sim then assert (handles () = before + 2);
          use ();
          Xenctrl.domain_pause h domid;
          Xenctrl.domain_unpause h domid);
      (* Its child's session is not its own. *)
      use ());
  use ();
  Xenctrl.domain_destroy h domid

let test_unsupported () =
  let refusal spec =
    Xensim.configure spec;
    error_of (fun () -> ignore (Xenctrl.interface_open ()))
  in
  let found = Printf.sprintf "Unable to open XC interface: found Xen %s" in
  let supported = ", supported are Xen 4.17 to 4.22" in
  List.iter
    (fun version ->
      check_string version (found version ^ supported) (refusal ("version=" ^ version)))
    [ "4.16"; "4.23"; "5.0" ];
  check_prefix
    (found release ^ ", which refuses its sysctl interface version 0x1")
    (refusal (Printf.sprintf "version=%s,sysctl=0x14" release));
  check_prefix
    (found release ^ ", which refuses its domctl interface version 0x1")
    (refusal (Printf.sprintf "version=%s,domctl=0x19" release));
  Xensim.configure (Printf.sprintf "version=%s,fault=open:ENOENT@1" release);
  Xenctrl.close_handle ();
  (match Xenctrl.with_intf ignore with
  | () -> Alcotest.fail "no exception"
  | exception Failure message ->
    check_string "with_intf"
      "failed to open xenctrl: Xenctrl.Error(\"Unable to open XC interface: 2: No such file or \
       directory\")"
      message);
  Gc.full_major ();
  check_int "no handle is left of the failures" 0 (Counters.get "handles")

let test_unprivileged () =
  Xensim.configure (Printf.sprintf "version=%s,privileged=no" release);
  let h = Xenctrl.interface_open () in
  let eperm = "1: Operation not permitted" in
  check_int "what anyone may ask" 4 (Xenctrl.version h).major;
  check_string "sysctl" eperm (error_of (fun () -> ignore (Xenctrl.physinfo h)));
  check_string "list" eperm (error_of (fun () -> ignore (Xenctrl.domain_getinfolist h 0)));
  check_string "domctl" eperm (error_of (fun () -> Xenctrl.domain_pause h 1))

let tests =
  [
    test "open and close" test_open_close;
    test "handles are collected" test_handles_are_collected;
    test "with_intf" test_with_intf;
  ]
  @ sim_only
      [
        test "unsupported hypervisors" test_unsupported;
        test "unprivileged domain" test_unprivileged;
      ]

(* A group of their own, since a child leaves its parent's handles alone, which looks like a leak. *)
let forks = [ test "fork" test_fork; test "daemon" test_daemon ]
