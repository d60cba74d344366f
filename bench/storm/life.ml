(** What xenopsd does to start and stop a VM with two disks and a network interface: the steps
    in its order, each with the questions that it asks. *)

(** What the rest of the host is told. *)
type neighbours = {
  introduced : unit -> unit;  (** xenstored: @introduceDomain *)
  released : unit -> unit;  (** xenstored: @releaseDomain *)
  memory_wanted : unit -> unit;  (** squeezed: is there memory for one more? *)
  wait : unit -> unit;  (** another program is at work: xenguest, a script, QEMU *)
}

let uuid number =
  let hex = Digest.to_hex (Digest.string (Printf.sprintf "storm %d" number)) in
  String.concat "-"
    (List.map
       (fun (from, length) -> String.sub hex from length)
       [ (0, 8); (8, 4); (12, 4); (16, 4); (20, 12) ])

(* What a domain is called from when it is destroyed on. *)
let doomed domid = Printf.sprintf "deadbeef-dead-beef-dead-beef0000%04x" domid

let devices = [ ("vbd", 768); ("vbd", 5696); ("vif", 0) ]
let memory_kib = 4096L

module Make (H : Host.S) = struct
  let domains_of_uuid h text =
    let uuid = H.uuid text in
    Cost.question Lookup (fun () -> H.find h uuid)

  (* The domain of a VM. More than one is an error; there is none once it is destroyed. *)
  let di_of_uuid h text =
    match domains_of_uuid h text with
    | [] -> None
    | [ domain ] -> Some domain
    | _ :: _ :: _ -> failwith (text ^ ": more than one domain")

  let on_domain h text f =
    match di_of_uuid h text with
    | Some domain -> f (H.domid domain)
    | None -> failwith (text ^ ": no domain")

  (* What an event about a VM makes xenopsd look up: VM.get_state. *)
  let stat h text = Option.map H.shutdown (di_of_uuid h text)

  let start h near text =
    (* VM_create *)
    near.memory_wanted ();
    let domid = H.domain_create h ~uuid:text in
    H.domain_sethandle h domid text;
    H.domain_max_vcpus h domid 1;
    Store.write_domain domid ~uuid:text;
    near.introduced ();
    (* VM_build *)
    on_domain h text (fun domid ->
        H.domain_setmaxmem h domid memory_kib;
        near.wait ());
    (* VBD_plug and VIF_plug: a disk is attached and activated, each on its own *)
    List.iter
      (fun (kind, number) ->
        on_domain h text (fun domid ->
            Store.write_device domid ~kind number;
            near.wait ());
        if kind = "vbd" then on_domain h text ignore)
      devices;
    (* VM_create_device_model *)
    on_domain h text (fun _ -> near.wait ());
    (* VM_set_domain_action_request *)
    on_domain h text ignore;
    (* VM_unpause *)
    on_domain h text (H.domain_unpause h);
    match stat h text with
    | Some false -> ()
    | Some true | None -> failwith (text ^ " has not started")

  let rec wait_until_gone h text =
    if domains_of_uuid h text <> [] then begin
      Thread.delay 0.001;
      wait_until_gone h text
    end

  let stop h near text =
    (* VM_shutdown_domain: the request, which this guest obeys at once, and the wait for it *)
    on_domain h text ignore;
    on_domain h text (fun domid ->
        near.wait ();
        H.domain_poweroff h domid);
    near.released ();
    (match stat h text with
    | Some true -> ()
    | Some false | None -> failwith (text ^ " has not shut down"));
    (* VM_destroy_device_model *)
    on_domain h text ignore;
    (* VM_destroy *)
    on_domain h text (fun domid ->
        (* Each device's release asks whose it was. *)
        List.iter
          (fun (kind, number) ->
            near.wait ();
            Store.remove_device domid ~kind number;
            ignore (domains_of_uuid h text))
          devices;
        H.domain_sethandle h domid (doomed domid);
        H.domain_destroy h domid;
        Store.remove_domain domid ~uuid:text;
        wait_until_gone h (doomed domid));
    near.released ();
    match stat h text with
    | None -> ()
    | Some _ -> failwith (text ^ " is still there")
end
