type t = unit

external load_stub : string -> unit = "bench_interop_load"

external open_ : sysctl:int -> domctl:int -> max:int -> unit = "bench_interop_do_open"

external getinfolist : t -> Xenctrl.domaininfo list = "bench_interop_do_list"

external getinfo : t -> int -> Xenctrl.domaininfo = "bench_interop_do_getinfo"

let load file { Handles.sysctl; domctl } ~max =
  load_stub file;
  open_ ~sysctl ~domctl ~max
