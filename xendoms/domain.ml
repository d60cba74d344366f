module Uuid = Xenctrl_domains.Uuid

type state = Running | Blocked | Paused | Shutdown | Crashed | Dying

type shutdown = Reason of Xenctrl.shutdown_reason | Code of int

type t = {
  domid : Xenctrl.domid;
  name : string option;
  uuid : Uuid.t;
  states : state list;
  shutdown : shutdown option;
  hvm : bool;
  memory_pages : nativeint;
  max_memory_pages : nativeint;
  vcpus : int;
  cpu_time : int64;
}

(* {1 Names} *)

type names = Xenstore.t option

let names () =
  (* The simulator's domains are not this host's, whose names xenstore has. *)
  if Simulator.asked_for () && Sys.getenv_opt "XENSTORED_PATH" = None then None
  else Xenstore.connect ()

let close names = Option.iter Xenstore.close names

let printable text =
  let buffer = Buffer.create (String.length text) in
  let is_control u =
    let u = Uchar.to_int u in
    u < 0x20 || (u >= 0x7f && u < 0xa0)
  in
  let add () _ = function
    | `Uchar u when not (is_control u) -> Buffer.add_utf_8_uchar buffer u
    | `Uchar _ | `Malformed _ -> Buffer.add_utf_8_uchar buffer Uutf.u_rep
  in
  Uutf.String.fold_utf_8 add () text;
  Buffer.contents buffer

let name names domid =
  Option.bind names (fun xenstore ->
      Xenstore.read xenstore (Printf.sprintf "/local/domain/%d/name" domid))
  |> Option.map printable

let display_name d =
  match d.name with
  | Some name when name <> "" -> name
  | _ -> if d.domid = 0 then "Domain-0" else "-"

(* {1 States} *)

let all_states =
  [
    (Running, 'r', "running"); (Blocked, 'b', "blocked"); (Paused, 'p', "paused");
    (Shutdown, 's', "shutdown"); (Crashed, 'c', "crashed"); (Dying, 'd', "dying");
  ]

let states (info : Xenctrl.domaininfo) =
  let holds = function
    | Running -> info.running
    | Blocked -> info.blocked
    | Paused -> info.paused
    | Shutdown -> info.shutdown
    | Crashed -> Xenctrl_domains.shutdown_reason info = Some Crash
    | Dying -> info.dying
  in
  List.filter holds (List.map (fun (state, _, _) -> state) all_states)

let letters d =
  all_states
  |> List.map (fun (state, letter, _) -> if List.mem state d.states then letter else '-')
  |> List.to_seq |> String.of_seq

(* {1 A domain} *)

let shutdown (info : Xenctrl.domaininfo) =
  match Xenctrl_domains.shutdown_reason info with
  | Some reason -> Some (Reason reason)
  | None -> if info.shutdown then Some (Code info.shutdown_code) else None

let of_info names (info : Xenctrl.domaininfo) =
  {
    domid = info.domid;
    name = name names info.domid;
    uuid = Uuid.of_handle info.handle;
    states = states info;
    shutdown = shutdown info;
    hvm = info.hvm_guest;
    memory_pages = info.total_memory_pages;
    max_memory_pages = info.max_memory_pages;
    vcpus = info.nr_online_vcpus;
    cpu_time = info.cpu_time;
  }

let to_json d : Yojson.Safe.t =
  let optional f = Option.fold ~none:`Null ~some:f in
  let words = List.filter (fun (state, _, _) -> List.mem state d.states) all_states in
  let kib pages = `Intlit (Int64.to_string (Xenctrl.pages_to_kib (Int64.of_nativeint pages))) in
  let reason = function
    | Reason Poweroff -> `String "poweroff"
    | Reason Reboot -> `String "reboot"
    | Reason Suspend -> `String "suspend"
    | Reason Crash -> `String "crash"
    | Reason Watchdog -> `String "watchdog"
    | Reason Soft_reset -> `String "soft_reset"
    | Code code -> `Int code
  in
  `Assoc
    [
      ("domid", `Int d.domid);
      ("name", optional (fun name -> `String name) d.name);
      ("uuid", `String (Uuid.to_string d.uuid));
      ("states", `List (List.map (fun (_, _, word) -> `String word) words));
      ("shutdown_reason", optional reason d.shutdown);
      ("hvm", `Bool d.hvm);
      ("memory_kib", kib d.memory_pages);
      ("max_memory_kib", kib d.max_memory_pages);
      ("vcpus", `Int d.vcpus);
      ("cpu_time_ns", `Intlit (Int64.to_string d.cpu_time));
    ]
