(* Linked with C stubs over libxenctrl. Chunks of 2 end with one that is not full, chunks of
   1024 with an empty one: a domain that came since the first is a chunk of its own. *)
let () =
  Storm_by_lists.By_lists.main
    ~chunks_of_2:
      {
        name = "chunks of 2, C stubs";
        hypercalls = (fun domains -> (domains / 2) + 1);
        one_more = false;
      }
    ~chunks_of_1024:
      {
        name = "chunks of 1024, C stubs";
        hypercalls = (fun domains -> ((domains + 1023) / 1024) + 1);
        one_more = true;
      }
