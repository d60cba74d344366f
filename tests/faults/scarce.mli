(** Control of libscarce.so, an allocator that fails to order (see libscarce.c). *)

val run : first:int -> count:int -> (unit -> 'a) -> ('a, exn) result * int
(** [run ~first ~count f] calls [f] while this thread's allocations by malloc fail from the
    [first]-th on, [count] of them. Beside what became of [f] it gives how many allocations there
    were. Raises [Failure] where the allocator is not preloaded. *)
