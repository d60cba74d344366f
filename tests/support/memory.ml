let resident_kib () =
  let file = open_in "/proc/self/statm" in
  Fun.protect
    ~finally:(fun () -> close_in file)
    (fun () -> Scanf.sscanf (input_line file) "%d %d" (fun _ resident -> resident * 4))
