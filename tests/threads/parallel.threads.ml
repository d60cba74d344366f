let what = "threads"
let run work = List.iter Thread.join (List.map (fun f -> Thread.create f ()) work)
