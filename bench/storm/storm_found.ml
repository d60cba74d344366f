(* The same program asking by Xenctrl_domains: a lookup is find_by_uuid, and the loops read
   snapshots, each its own. *)

open Xenctrl
module D = Xenctrl_domains
module S = Xenctrl_domains.Snapshot
module Cost = Storm.Cost
module Host = Storm.Host

module By_domains : Host.S = struct
  let way : Host.way =
    { name = "find_by_uuid and snapshots"; hypercalls = (fun _ -> 1); one_more = false }

  let fetch f = Cost.list f ~hypercalls:(fun _ -> 1)

  type nonrec handle = handle

  let interface_open = interface_open
  let domain_create h ~uuid = domain_create h (Guest_config.least uuid)
  let domain_sethandle = domain_sethandle
  let domain_max_vcpus = domain_max_vcpus
  let domain_setmaxmem = domain_setmaxmem
  let domain_unpause = domain_unpause
  let domain_poweroff h domid = domain_shutdown h domid Poweroff
  let domain_destroy = domain_destroy

  type uuid = D.Uuid.t

  let uuid = D.Uuid.of_string

  type domain = domaininfo

  let domid (d : domain) = d.domid
  let shutdown (d : domain) = d.shutdown
  let find h uuid = fetch (fun () -> D.find_by_uuid h uuid)

  (* The latest look, and the one before it, whose memory the next takes. *)
  type seen = {
    mutable latest : S.t option;
    mutable spare : S.t option;
  }

  let nothing () = { latest = None; spare = None }

  let look h = function
    | None -> fetch (fun () -> S.take h)
    | Some spare ->
      fetch (fun () -> S.retake h spare);
      spare

  let watch h seen : Host.changes =
    let after = look h seen.spare in
    let before = seen.latest in
    seen.spare <- before;
    seen.latest <- Some after;
    match before with
    | None ->
      {
        appeared = List.rev (S.fold (fun all i -> S.domid after i :: all) [] after);
        gone = [];
        shut_down = [];
      }
    | Some before ->
      let { D.appeared; gone; shut_down; renamed = _ } = D.changes ~before ~after in
      { appeared; gone; shut_down }

  (* Each thread that takes snapshots has one, which it takes anew. *)
  let snapshots : (int, S.t) Hashtbl.t = Hashtbl.create 16
  let lock = Mutex.create ()

  let snapshot h =
    let thread = Thread.id (Thread.self ()) in
    Mutex.lock lock;
    let own = Hashtbl.find_opt snapshots thread in
    Mutex.unlock lock;
    let s = look h own in
    if Option.is_none own then begin
      Mutex.lock lock;
      Hashtbl.replace snapshots thread s;
      Mutex.unlock lock
    end;
    s

  let running h =
    let s = snapshot h in
    S.fold (fun n i -> if S.shutdown s i then n else n + 1) 0 s

  let balance h : Host.memory =
    let s = snapshot h in
    let total = ref 0 and most = ref 0 in
    S.iter
      (fun i ->
        total := !total + S.total_memory_pages s i;
        most := !most + S.max_memory_pages s i)
      s;
    { domains = S.length s; total = !total; most = !most }

  let sample h : Host.sample =
    let s = snapshot h in
    let sampled = ref 0 and paused = ref 0 and cpu_time = ref 0L in
    S.iter
      (fun i ->
        if not (S.has_uuid s i D.Uuid.nil) then begin
          incr sampled;
          if S.paused s i then incr paused;
          cpu_time := Int64.add !cpu_time (S.cpu_time s i)
        end)
      s;
    { sampled = !sampled; paused = !paused; cpu_time = !cpu_time }
end

let () = Storm.Program.main [ ("", (module By_domains)) ]
