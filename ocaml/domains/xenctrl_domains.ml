(* The interface is documented in xenctrl_domains.mli. *)

(* The module that registers the exception of failed hypercalls, and whose archive has the stubs:
   without a use of it a program would be linked with neither. *)
let (_ : int64) = Sys.opaque_identity (Xenctrl.pages_to_mib 0L)

module Uuid = struct
  (* 16 bytes. *)
  type t = string

  external of_string : string -> t = "stub_xenctrl_uuid_of_string"

  let of_string_opt text =
    match of_string text with
    | uuid -> Some uuid
    | exception Invalid_argument _ -> None

  let of_bytes bytes =
    if String.length bytes <> 16 then
      invalid_arg
        (Printf.sprintf "uuid: %d bytes, not 16" (String.length bytes));
    bytes

  let of_handle handle =
    let byte n =
      if n < 0 || n > 255 then
        invalid_arg (Printf.sprintf "uuid: %d is not a byte" n);
      Char.chr n
    in
    of_bytes (String.init (Array.length handle) (fun i -> byte handle.(i)))

  let to_string t =
    let digit n = "0123456789abcdef".[n] in
    let text = Bytes.make 36 '-' in
    let at = ref 0 in
    String.iteri
      (fun i c ->
        if i = 4 || i = 6 || i = 8 || i = 10 then incr at;
        Bytes.set text !at (digit (Char.code c lsr 4));
        Bytes.set text (!at + 1) (digit (Char.code c land 15));
        at := !at + 2)
      t;
    Bytes.unsafe_to_string text

  let to_bytes t = t
  let to_handle t = Array.init 16 (fun i -> Char.code t.[i])
  let equal = String.equal
  let compare = String.compare
  let hash (t : t) = Hashtbl.hash t
  let nil = String.make 16 '\000'
end

external find :
  Xenctrl.handle -> Uuid.t -> Xenctrl.domid option -> Xenctrl.domaininfo list
  = "stub_xenctrl_find_by_uuid"

let find_by_uuid ?hint h uuid = find h uuid hint

(* By SHUTDOWN_* of Xen's public/sched.h. *)
let reason_of_code code : Xenctrl.shutdown_reason option =
  match code with
  | 0 -> Some Poweroff
  | 1 -> Some Reboot
  | 2 -> Some Suspend
  | 3 -> Some Crash
  | 4 -> Some Watchdog
  | 5 -> Some Soft_reset
  | _ -> None

let shutdown_reason (info : Xenctrl.domaininfo) =
  if info.shutdown then reason_of_code info.shutdown_code else None

module Snapshot = struct
  type t
  type index = int

  (* What these give without allocating is -1 where there is no such domain; no field is. *)

  external get_length : t -> (int[@untagged])
    = "stub_xenctrl_snapshot_length_byte" "stub_xenctrl_snapshot_length"
    [@@noalloc]

  let refuse t i =
    let length = get_length t in
    invalid_arg
      (if length < 0 then "Xenctrl_domains.Snapshot: it was freed"
      else
        Printf.sprintf
          "Xenctrl_domains.Snapshot: number %d, where there are %d, from 0 on; \
           Snapshot.index gives a domid's"
          i length)

  let[@inline] checked t i field = if field < 0 then refuse t i else field
  let[@inline] checked_bool t i field = checked t i field <> 0

  external take : Xenctrl.handle -> t = "stub_xenctrl_snapshot_take"

  external retake : Xenctrl.handle -> t -> unit
    = "stub_xenctrl_snapshot_retake"

  external free : t -> unit = "stub_xenctrl_snapshot_free"

  let[@inline] length t = checked t 0 (get_length t)

  let nth t i = if i >= 0 && i < length t then i else refuse t i

  external get_index : t -> (int[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_find_byte" "stub_xenctrl_snapshot_find"
    [@@noalloc]

  let mem t domid =
    let i = get_index t domid in
    if i < 0 then ignore (length t);
    i >= 0

  let index t domid =
    let i = get_index t domid in
    if i < 0 then begin
      ignore (length t);
      raise Not_found
    end;
    i

  let index_opt t domid =
    match index t domid with
    | i -> Some i
    | exception Not_found -> None

  external last_with_uuid :
    t -> Uuid.t -> (int[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_last_with_uuid_byte"
      "stub_xenctrl_snapshot_last_with_uuid"
    [@@noalloc]

  let rec with_uuid_below limit t uuid found =
    let i = last_with_uuid t uuid limit in
    if i < 0 then found else with_uuid_below i t uuid (i :: found)

  let find_by_uuid t uuid = with_uuid_below (length t) t uuid []

  let iter f t =
    for i = 0 to length t - 1 do
      f i
    done

  let fold f init t =
    let result = ref init in
    for i = 0 to length t - 1 do
      result := f !result i
    done;
    !result

  let fold_right f t init =
    let result = ref init in
    for i = length t - 1 downto 0 do
      result := f i !result
    done;
    !result

  external get_domid : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_domid_byte" "stub_xenctrl_snapshot_domid"
    [@@noalloc]

  let[@inline] domid t i = checked t i (get_domid t i)

  external get_dying : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_dying_byte" "stub_xenctrl_snapshot_dying"
    [@@noalloc]

  let[@inline] dying t i = checked_bool t i (get_dying t i)

  external get_shutdown : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_shutdown_byte" "stub_xenctrl_snapshot_shutdown"
    [@@noalloc]

  let[@inline] shutdown t i = checked_bool t i (get_shutdown t i)

  external get_paused : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_paused_byte" "stub_xenctrl_snapshot_paused"
    [@@noalloc]

  let[@inline] paused t i = checked_bool t i (get_paused t i)

  external get_blocked : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_blocked_byte" "stub_xenctrl_snapshot_blocked"
    [@@noalloc]

  let[@inline] blocked t i = checked_bool t i (get_blocked t i)

  external get_running : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_running_byte" "stub_xenctrl_snapshot_running"
    [@@noalloc]

  let[@inline] running t i = checked_bool t i (get_running t i)

  external get_hvm_guest : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_hvm_guest_byte" "stub_xenctrl_snapshot_hvm_guest"
    [@@noalloc]

  let[@inline] hvm_guest t i = checked_bool t i (get_hvm_guest t i)

  external get_shutdown_code : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_shutdown_code_byte" "stub_xenctrl_snapshot_shutdown_code"
    [@@noalloc]

  let[@inline] shutdown_code t i = checked t i (get_shutdown_code t i)

  let shutdown_reason t i =
    if shutdown t i then reason_of_code (shutdown_code t i) else None

  external get_total_memory_pages : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_total_memory_pages_byte" "stub_xenctrl_snapshot_total_memory_pages"
    [@@noalloc]

  let[@inline] total_memory_pages t i = checked t i (get_total_memory_pages t i)

  external get_max_memory_pages : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_max_memory_pages_byte" "stub_xenctrl_snapshot_max_memory_pages"
    [@@noalloc]

  let[@inline] max_memory_pages t i = checked t i (get_max_memory_pages t i)

  external shared_info_frame : t -> (index[@untagged]) -> (int64[@unboxed])
    = "stub_xenctrl_snapshot_shared_info_frame_byte"
      "stub_xenctrl_snapshot_shared_info_frame"

  external cpu_time : t -> (index[@untagged]) -> (int64[@unboxed])
    = "stub_xenctrl_snapshot_cpu_time_byte"
      "stub_xenctrl_snapshot_cpu_time"

  external get_nr_online_vcpus : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_nr_online_vcpus_byte" "stub_xenctrl_snapshot_nr_online_vcpus"
    [@@noalloc]

  let[@inline] nr_online_vcpus t i = checked t i (get_nr_online_vcpus t i)

  external get_max_vcpu_id : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_max_vcpu_id_byte" "stub_xenctrl_snapshot_max_vcpu_id"
    [@@noalloc]

  let[@inline] max_vcpu_id t i = checked t i (get_max_vcpu_id t i)

  external get_ssidref : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_ssidref_byte" "stub_xenctrl_snapshot_ssidref"
    [@@noalloc]

  let[@inline] ssidref t i = checked t i (get_ssidref t i)

  external uuid : t -> index -> Uuid.t = "stub_xenctrl_snapshot_uuid"

  external get_has_uuid : t -> (index[@untagged]) -> Uuid.t -> (int[@untagged])
    = "stub_xenctrl_snapshot_has_uuid_byte" "stub_xenctrl_snapshot_has_uuid"
    [@@noalloc]

  let[@inline] has_uuid t i uuid = checked_bool t i (get_has_uuid t i uuid)

  (* The constructors are numbers of bits. *)

  external get_emulates :
    t -> (index[@untagged]) -> (int[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_emulates_byte" "stub_xenctrl_snapshot_emulates"
    [@@noalloc]

  external bit_of_emulation_flag : Xenctrl.x86_arch_emulation_flags -> int
    = "%identity"

  let[@inline] emulates t i flag =
    checked_bool t i (get_emulates t i (bit_of_emulation_flag flag))

  external get_has_misc_flag :
    t -> (index[@untagged]) -> (int[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_has_misc_flag_byte"
      "stub_xenctrl_snapshot_has_misc_flag"
    [@@noalloc]

  external bit_of_misc_flag : Xenctrl.x86_arch_misc_flags -> int = "%identity"

  let[@inline] has_misc_flag t i flag =
    checked_bool t i (get_has_misc_flag t i (bit_of_misc_flag flag))

  external domaininfo : t -> index -> Xenctrl.domaininfo
    = "stub_xenctrl_snapshot_domaininfo"

  external get_debugged : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_debugged_byte" "stub_xenctrl_snapshot_debugged"
    [@@noalloc]

  let[@inline] debugged t i = checked_bool t i (get_debugged t i)

  external get_xs_domain : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_xs_domain_byte" "stub_xenctrl_snapshot_xs_domain"
    [@@noalloc]

  let[@inline] xs_domain t i = checked_bool t i (get_xs_domain t i)

  external get_hap : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_hap_byte" "stub_xenctrl_snapshot_hap"
    [@@noalloc]

  let[@inline] hap t i = checked_bool t i (get_hap t i)

  external get_cpupool : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_cpupool_byte" "stub_xenctrl_snapshot_cpupool"
    [@@noalloc]

  let[@inline] cpupool t i = checked t i (get_cpupool t i)

  external get_outstanding_pages : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_outstanding_pages_byte" "stub_xenctrl_snapshot_outstanding_pages"
    [@@noalloc]

  let[@inline] outstanding_pages t i = checked t i (get_outstanding_pages t i)

  external get_shared_pages : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_shared_pages_byte" "stub_xenctrl_snapshot_shared_pages"
    [@@noalloc]

  let[@inline] shared_pages t i = checked t i (get_shared_pages t i)

  external get_paged_pages : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_paged_pages_byte" "stub_xenctrl_snapshot_paged_pages"
    [@@noalloc]

  let[@inline] paged_pages t i = checked t i (get_paged_pages t i)

  external get_gpaddr_bits : t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_gpaddr_bits_byte" "stub_xenctrl_snapshot_gpaddr_bits"
    [@@noalloc]

  let[@inline] gpaddr_bits t i = checked t i (get_gpaddr_bits t i)

  external get_same_uuid :
    t -> (index[@untagged]) -> t -> (index[@untagged]) -> (int[@untagged])
    = "stub_xenctrl_snapshot_same_uuid_byte" "stub_xenctrl_snapshot_same_uuid"
    [@@noalloc]
end

type changes = {
  appeared : Xenctrl.domid list;
  gone : Xenctrl.domid list;
  shut_down : Xenctrl.domid list;
  renamed : Xenctrl.domid list;
}

let changes ~before ~after =
  let open Snapshot in
  let has_shut_down i j =
    shutdown after j
    && not
         (shutdown before i
         && shutdown_code before i = shutdown_code after j)
  in
  (* From the greatest domid down, so that the lists come out ascending. *)
  let rec walk i j ({ appeared; gone; shut_down; renamed } as found) =
    if i < 0 && j < 0 then found
    else
      let before_domid = if i < 0 then -1 else domid before i
      and after_domid = if j < 0 then -1 else domid after j in
      if before_domid < after_domid then
        walk i (j - 1) { found with appeared = after_domid :: appeared }
      else if before_domid > after_domid then
        walk (i - 1) j { found with gone = before_domid :: gone }
      else
        let shuts_down = has_shut_down i j
        and has_new_uuid = get_same_uuid before i after j = 0 in
        walk (i - 1) (j - 1)
          (if shuts_down || has_new_uuid then
           {
             found with
             shut_down =
               (if shuts_down then after_domid :: shut_down else shut_down);
             renamed =
               (if has_new_uuid then after_domid :: renamed else renamed);
           }
          else found)
  in
  walk
    (length before - 1)
    (length after - 1)
    { appeared = []; gone = []; shut_down = []; renamed = [] }
