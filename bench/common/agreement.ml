open Xenctrl

let rec out_of_order = function
  | a :: (b :: _ as others) ->
    if a.domid < b.domid then out_of_order others else Some (a, b)
  | [ _ ] | [] -> None

let free_to_run d =
  d.nr_online_vcpus > 0 && not (d.paused || d.shutdown || d.dying)

let same ~simulated earlier later =
  let flags_move = (not simulated) && free_to_run earlier in
  let still d =
    {
      d with
      cpu_time = 0L;
      running = d.running && not flags_move;
      blocked = d.blocked && not flags_move;
    }
  in
  Int64.compare earlier.cpu_time later.cpu_time <= 0
  && still earlier = still later

let domids list = List.map (fun d -> d.domid) list

let between ~simulated (name, earlier) (other, later) =
  if domids earlier <> domids later then
    [
      Printf.sprintf "%s lists %d domains and %s %d, or others" name
        (List.length earlier) other (List.length later);
    ]
  else
    List.concat
      (List.map2
         (fun a b ->
           if same ~simulated a b then []
           else
             [
               Printf.sprintf "%s and %s differ on domain %d (CPU time %Ld and %Ld ns)" name
                 other a.domid a.cpu_time b.cpu_time;
             ])
         earlier later)

let differences ~simulated lists =
  let order (name, list) =
    match out_of_order list with
    | None -> []
    | Some (a, b) ->
      [
        Printf.sprintf "%s lists domain %d after domain %d" name b.domid a.domid;
      ]
  in
  let rec pairs = function
    | one :: (other :: _ as others) ->
      between ~simulated one other @ pairs others
    | [ _ ] | [] -> []
  in
  List.concat_map order lists @ pairs lists
