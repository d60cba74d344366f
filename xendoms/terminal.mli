(** A screen of its own on a terminal, which gets back what it had whatever ends the program, and
    the signals of a program that runs until it is told to end. *)

type t

type event =
  | Timeout
  | Redraw  (** The size changed, or the program was stopped for a while. *)
  | Quit  (** The key [q], or Ctrl-D. *)
  | Signal of int  (** It asks the program to end. *)

val with_ : (t -> 'a) -> 'a
(** Standard output as a screen if it is a terminal. What is drawn is seen until the function
    ends. *)

val is_screen : t -> bool

val lines : t -> int option
(** How many lines can be drawn, where that is known. *)

val draw : t -> string -> unit
(** Shows a text, of whole lines: on a screen in place of what is there, elsewhere after it. *)

val wait : t -> float -> event
(** Waits for that many seconds, or for what comes first. *)

val die : int -> 'a
(** Ends the program by that signal, so that who started it sees why. To be called when the terminal
    is restored. *)
