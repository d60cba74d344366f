external populate : int -> int -> unit = "test_support_guest_populate"

external start_stub : int -> int -> int -> int -> unit = "test_support_guest_start"

let start ~domctl domid ~vcpu entry = start_stub domctl domid vcpu entry
