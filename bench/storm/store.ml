let lock = Mutex.create ()
let entries : (string, string) Hashtbl.t = Hashtbl.create 65536

let locked f =
  Mutex.lock lock;
  Fun.protect ~finally:(fun () -> Mutex.unlock lock) f

let domain_keys =
  [
    "name"; "domid"; "vm"; "vss"; "description"; "memory/target"; "memory/static-max";
    "memory/dynamic-min"; "memory/dynamic-max"; "cpu/0/availability"; "control/shutdown";
    "control/platform-feature-multiprocessor-suspend"; "console/port"; "console/ring-ref";
    "console/limit"; "store/port"; "store/ring-ref"; "platform/acpi"; "platform/apic";
    "platform/nx"; "platform/pae"; "platform/viridian"; "bios-strings/bios-vendor";
    "unique-domain-id"; "image/device-model-pid"; "attr"; "data"; "messages"; "error";
    "drivers";
  ]

let device_keys =
  [
    "backend"; "backend-id"; "state"; "virtual-device"; "device-type"; "event-channel";
    "ring-ref"; "protocol"; "hotplug-status"; "params"; "mode"; "online";
  ]

let vm_path uuid = Printf.sprintf "/vm/%s/domains" uuid
let domain_path domid key = Printf.sprintf "/local/domain/%d/%s" domid key

let device_paths domid ~kind number =
  List.concat_map
    (fun key ->
      [
        Printf.sprintf "/local/domain/%d/device/%s/%d/%s" domid kind number key;
        Printf.sprintf "/local/domain/0/backend/%s/%d/%d/%s" kind domid number key;
      ])
    device_keys

let write paths value = List.iter (fun path -> Hashtbl.replace entries path value) paths
let remove paths = List.iter (Hashtbl.remove entries) paths

let write_domain domid ~uuid =
  let paths = List.map (domain_path domid) domain_keys in
  locked (fun () ->
      write paths uuid;
      Hashtbl.replace entries (vm_path uuid) (string_of_int domid))

let write_device domid ~kind number =
  let paths = device_paths domid ~kind number in
  locked (fun () -> write paths "4")

let remove_device domid ~kind number =
  let paths = device_paths domid ~kind number in
  locked (fun () -> remove paths)

let remove_domain domid ~uuid =
  let paths = List.map (domain_path domid) domain_keys in
  locked (fun () -> remove (vm_path uuid :: paths))

let size () = locked (fun () -> Hashtbl.length entries)
