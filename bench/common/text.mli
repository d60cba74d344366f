(** Plain text in columns. *)

val width : string -> int
(** Characters, not bytes. The text is UTF-8. *)

val left : int -> string -> string
(** Padded to that width: the text is on the left. *)

val right : int -> string -> string

val number : int -> string
(** With commas: ["812,345"]. *)

val figure : float -> string
(** With as many digits as mean something: ["812,345"], ["81.2"], ["8.12"]. *)

val count : int -> string -> string
(** [count 1 "domain"] is ["1 domain"], [count 1000 "domain"] is ["1000 domains"]. *)

val listing : string list -> string
(** ["2, 501 and 3"]. *)

val paragraph : string -> unit
(** Prints it in lines of at most 90 characters. *)
