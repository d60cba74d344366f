(** Domains in columns. *)

type row = {
  domain : Domain.t;
  cpu : float option;  (** Percent of one pCPU; none where it is not known. *)
  mark : mark;
}

and mark = Unmarked | Appeared | Gone | Shut_down

type columns = Plain | Watched  (** With marks and CPU percentages. *)

val row : Domain.t -> row
(** Unmarked. *)

val pp : ?limit:int -> columns -> row list Fmt.t
(** One line for the titles and one for each row. [limit] is the greatest number of lines: marked
    rows are the last to be left out, and a last line says how many are. *)
