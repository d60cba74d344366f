exception Interrupted

(* Shows progress once a second, from the first second on. *)
let progress () =
  let last = ref (Clock.nanoseconds ()) in
  fun text ->
    let now = Clock.nanoseconds () in
    if now - !last >= 1_000_000_000 then begin
      last := now;
      print_endline ("  " ^ text)
    end

let uuid number =
  let hex = Digest.to_hex (Digest.string (Printf.sprintf "demo %d" number)) in
  String.concat "-"
    (List.map
       (fun (from, length) -> String.sub hex from length)
       [ (0, 8); (8, 4); (12, 4); (16, 4); (20, 12) ])

(* As little as a domain can be: no memory, no vCPUs made, the least of tables. *)
let empty number : Xenctrl.domctl_create_config =
  {
    ssidref = 0l;
    handle = uuid number;
    flags = [];
    iommu_opts = [];
    max_vcpus = 1;
    max_evtchn_port = -1;
    max_grant_frames = 1;
    max_maptrack_frames = 1;
    max_grant_version = 1;
    altp2m_opts = 0l;
    vmtrace_buf_kb = 0l;
    cpupool_id = 0l;
    arch = X86 { emulation_flags = []; misc_flags = [] };
  }

let signals = [ Sys.sigint; Sys.sigterm; Sys.sighup ]

let handle_signals behaviour =
  List.iter (fun signal -> Sys.set_signal signal behaviour) signals

let with_more h wanted f =
  let created = ref [] in
  let create () =
    let show = progress () in
    for number = 1 to wanted do
      (match Xenctrl.domain_create h (empty number) with
      | domid -> created := domid :: !created
      | exception Xenctrl.Error error ->
        failwith
          (Printf.sprintf "creating domain %d of %d: %s" number wanted error));
      show (Printf.sprintf "created %d of %d" number wanted)
    done
  in
  let destroy () =
    let show = progress () in
    let failed = ref [] in
    List.iteri
      (fun done_ domid ->
        (try Xenctrl.domain_destroy h domid
         with Xenctrl.Error error -> failed := (domid, error) :: !failed);
        show (Printf.sprintf "destroyed %d of %d" (done_ + 1) wanted))
      !created;
    List.iter
      (fun (domid, error) ->
        Printf.eprintf "Domain %d could not be destroyed: %s\n" domid error)
      !failed
  in
  if wanted = 0 then f ()
  else begin
    handle_signals (Signal_handle (fun _ -> raise Interrupted));
    Fun.protect
      ~finally:(fun () ->
        handle_signals Signal_ignore;
        let seconds = Clock.seconds_of destroy in
        Printf.printf "\nDestroyed %s again (%.1f s).\n%!"
          (Text.count (List.length !created) "domain")
          seconds;
        handle_signals Signal_default)
      (fun () ->
        let seconds = Clock.seconds_of create in
        Printf.printf "Created %s, empty PV guests (%.1f s).\n%!"
          (Text.count wanted "domain")
          seconds;
        f ())
  end
