let domains = 4
let what = "threads in 4 domains"

let run work =
  let of_domain d () =
    List.filteri (fun i _ -> i mod domains = d) work
    |> List.map (fun f -> Thread.create f ())
    |> List.iter Thread.join
  in
  List.init domains (fun d -> Domain.spawn (of_domain d)) |> List.iter Domain.join
