exception Interrupted

(* Shows progress once a second, from the first second on. *)
let progress ?(channel = stdout) () =
  let last = ref (Clock.nanoseconds ()) in
  fun text ->
    let now = Clock.nanoseconds () in
    if now - !last >= 1_000_000_000 then begin
      last := now;
      Printf.fprintf channel "  %s\n%!" text
    end

let uuid number =
  let hex = Digest.to_hex (Digest.string (Printf.sprintf "demo %d" number)) in
  String.concat "-"
    (List.map
       (fun (from, length) -> String.sub hex from length)
       [ (0, 8); (8, 4); (12, 4); (16, 4); (20, 12) ])

(* No memory, no vCPUs made. *)
let empty number = Guest_config.least (uuid number)

(* The emulation flags that a toolstack gives an HVM guest. *)
let hvm number =
  {
    (Guest_config.hvm (uuid number)
       [
         X86_EMU_LAPIC; X86_EMU_HPET; X86_EMU_PM; X86_EMU_RTC; X86_EMU_IOAPIC; X86_EMU_PIC;
         X86_EMU_VGA; X86_EMU_IOMMU; X86_EMU_PIT; X86_EMU_USE_PIRQ;
       ])
    with
    max_grant_frames = 1;
    max_maptrack_frames = 1;
  }

(* One by one; each is handed on as soon as it is there. *)
let create ?channel h config ~first ~last made =
  let show = progress ?channel () in
  for number = first to last do
    match Xenctrl.domain_create h (config number) with
    | domid ->
      made domid;
      show (Printf.sprintf "created %d of %d" number last)
    | exception Xenctrl.Error error ->
      failwith (Printf.sprintf "creating domain %d of %d: %s" number last error)
  done

let grow h ~guests ~hvm:most_hvm =
  let present = List.length (Xenctrl.domain_getinfolist h 0) - 1 in
  let config number =
    if number mod 2 = 1 && number < 2 * most_hvm then hvm number else empty number
  in
  create ~channel:stderr h config ~first:(present + 1) ~last:guests ignore

let signals = [ Sys.sigint; Sys.sigterm; Sys.sighup ]

let handle_signals behaviour =
  List.iter (fun signal -> Sys.set_signal signal behaviour) signals

let with_more h wanted f =
  let created = ref [] in
  let create () =
    create h empty ~first:1 ~last:wanted (fun domid -> created := domid :: !created)
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
