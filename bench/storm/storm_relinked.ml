(* Linked with this library: the first chunk is the whole list, whatever its size. *)
let () =
  Storm_by_lists.By_lists.main
    ~chunks_of_2:
      {
        name = "chunks of 2, relinked";
        hypercalls = (fun domains -> if domains = 2 then 2 else 1);
        one_more = false;
      }
    ~chunks_of_1024:
      { name = "chunks of 1024, relinked"; hypercalls = (fun _ -> 2); one_more = true }
