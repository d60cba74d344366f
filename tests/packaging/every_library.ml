(* One program with all of the libraries, on a xensim with 20 domains. *)

let check what condition =
  if not condition then begin
    prerr_endline ("every_library: " ^ what);
    exit 1
  end

let () =
  let open Xenctrl_domains in
  let h = Xenctrl.interface_open () in
  let snapshot = Snapshot.take h in
  check "the snapshot has not 20 domains" (Snapshot.length snapshot = 20);
  check "nor has the list" (List.length (Xenctrl.domain_getinfolist h 0) = 20);
  let uuid = Snapshot.uuid snapshot (Snapshot.index snapshot 7) in
  check "domain 7 is not the one with its UUID"
    (List.map (fun d -> d.Xenctrl.domid) (find_by_uuid h uuid) = [ 7 ]);
  let self = Unix.openfile "/proc/self/exe" [ Unix.O_RDONLY ] 0 in
  let mapping = Xenmmap.mmap self Xenmmap.RDONLY Xenmmap.SHARED 4 0 in
  check "what is mapped is no program" (Xenmmap.read mapping 0 4 = "\127ELF");
  (* Event channels are no business of xensim's: an interface opens where Xen is. *)
  check "event channels"
    (match Xeneventchn.init () with
    | _ -> Sys.file_exists "/dev/xen/evtchn"
    | exception Failure _ -> true);
  print_endline "every_library: 20 domains"
