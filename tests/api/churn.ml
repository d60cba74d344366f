(* churn: one process creates and destroys domains as fast as it can while another lists them. In a
   real Xen with two CPUs.

   Both share a table of what is known of each domid. A domain that lived before a call and after it,
   by the same creation, must be in the list; one that was gone before and after must not. *)

let population = 200
let domids = 2 * population

(* Domains that are never destroyed, beyond those that come and go. *)
let steady = 20

(* 4 times the number of times that the domid was used, and one of these. Words that both processes
   read and write whole. *)
let gone = 0
let coming = 1
let alive = 2
let going = 3

type table = (int, Bigarray.int_elt, Bigarray.c_layout) Bigarray.Array1.t

let words = domids + steady + 3
let stop = domids + steady + 1
let changes = domids + steady + 2

let share () : table =
  let name = Filename.temp_file "churn" ".table" in
  let fd = Unix.openfile name [ O_RDWR ] 0o600 in
  Sys.remove name;
  Bigarray.array1_of_genarray (Unix.map_file fd Int C_layout true [| words |])

let config domid = Guest_config.least (Printf.sprintf "c0ffee00-0000-4000-8000-%012x" domid)

let is state word = word land 3 = state

let create h (table : table) domid =
  let uses = (table.{domid} asr 2) + 1 in
  table.{domid} <- (uses lsl 2) lor coming;
  ignore (Xenctrl.domain_create h ~domid (config domid));
  table.{domid} <- (uses lsl 2) lor alive

(* A destroyed domain is there until nothing refers to it any more. *)
let rec wait_until_gone h domid =
  match Xenctrl.domain_getinfo h domid with
  | (_ : Xenctrl.domaininfo) -> wait_until_gone h domid
  | exception Xenctrl.Error _ -> ()

let destroy h (table : table) domid =
  let word = table.{domid} in
  table.{domid} <- word lor going;
  Xenctrl.domain_destroy h domid;
  wait_until_gone h domid;
  table.{domid} <- word land lnot 3 lor gone

(* Until it is told to stop: one goes, then another comes. For a while from the lower domids to the
   higher, then back: a list that is fetched in pieces finds too many, then too few. *)
let churn (table : table) =
  let h = Xenctrl.interface_open () in
  let half = domids / 2 in
  let rec pick ?(tries = 100) state from =
    let domid =
      if tries > 0 then from + 1 + Random.int half else 1 + Random.int domids
    in
    if is state table.{domid} then domid else pick ~tries:(tries - 1) state from
  in
  while table.{stop} = 0 do
    let source, target = if table.{changes} / 80 mod 2 = 0 then (0, half) else (half, 0) in
    destroy h table (pick alive source);
    create h table (pick gone target);
    table.{changes} <- table.{changes} + 1
  done

let copy (table : table) = Array.init words (fun i -> table.{i})

let rec strictly_ascending = function
  | a :: (b :: _ as rest) -> a < b && strictly_ascending rest
  | [ _ ] | [] -> true

type tally = { mutable lists : int; mutable least : int; mutable most : int; mutable during : int }

let tally () = { lists = 0; least = max_int; most = 0; during = 0 }

let failures = ref 0

let complain what fmt =
  Printf.ksprintf
    (fun text ->
      incr failures;
      if !failures <= 20 then Printf.printf "%s: %s\n%!" what text)
    fmt

let listed table what tally list =
  let before = copy table in
  let ids = List.map (fun d -> d.Xenctrl.domid) (list ()) in
  let after = copy table in
  if not (strictly_ascending ids) then complain what "not strictly ascending";
  let there = Array.make (domids + steady + 1) false in
  List.iter
    (fun domid ->
      if domid > domids + steady then complain what "domain %d, which nobody made" domid
      else there.(domid) <- true)
    ids;
  if not there.(0) then complain what "without dom0";
  for domid = 1 to domids + steady do
    if before.(domid) = after.(domid) then begin
      if is alive before.(domid) && not there.(domid) then
        complain what "without domain %d, which lived throughout" domid;
      if is gone before.(domid) && there.(domid) then
        complain what "with domain %d, which was gone before" domid
    end
  done;
  let n = List.length ids in
  tally.lists <- tally.lists + 1;
  tally.least <- min tally.least n;
  tally.most <- max tally.most n;
  tally.during <- tally.during + after.(changes) - before.(changes)

let show what { lists; least; most; during } =
  Printf.printf "%s: %d lists of %d to %d domains, %d replaced meanwhile\n%!" what lists least most
    during

let () =
  let table = share () in
  let h = Xenctrl.interface_open () in
  for domid = 1 to domids + steady do
    if domid > domids || domid mod 2 = 0 then create h table domid
  done;
  let churner =
    match Unix.fork () with
    | 0 ->
      let status = try churn table; 0 with e -> prerr_endline (Printexc.to_string e); 1 in
      Unix._exit status
    | pid -> pid
  in
  let classic = Baseline.interface_open () in
  let once = tally () and by_2 = tally () in
  let torn () = by_2.least < once.least || by_2.most > once.most in
  let rounds = ref 0 in
  while !rounds < 30 || ((once.during = 0 || not (torn ())) && !rounds < 400) do
    incr rounds;
    for _ = 1 to 10 do
      listed table "one hypercall" once (fun () -> Xenctrl.domain_getinfolist h 0)
    done;
    listed table "chunks of 2" by_2 (fun () -> Baseline.list_chunked ~chunk:2 classic 0);
    if !rounds mod 15 = 0 then begin
      show "one hypercall" once;
      show "chunks of 2" by_2
    end
  done;
  table.{stop} <- 1;
  (match Unix.waitpid [] churner with
  | _, WEXITED 0 -> ()
  | _ -> complain "the churning process" "failed");
  let total = 1 + population + steady in
  Printf.printf "there were %d or %d domains at any time\n" (total - 1) total;
  if once.during = 0 then complain "one hypercall" "nothing changed during any list";
  if not (torn ()) then complain "chunks of 2" "no list is torn";
  if !failures > 0 then begin
    Printf.printf "%d failures\n" !failures;
    exit 1
  end
