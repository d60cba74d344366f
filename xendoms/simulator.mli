(** Running on xensim, the simulated hypervisor, where the environment variable [XENSIM] asks for
    it. xensim stands in for libxencall, and libraries are found when a process starts: the program
    is executed again with [LD_LIBRARY_PATH] on xensim's directory. *)

val asked_for : unit -> bool
(** Whether [XENSIM] is set. *)

val enter : unit -> (unit, string) result
(** Executes the program again if xensim is asked for and is not what this process finds as
    libxencall. The directory is what [XENSIM_DIR] names; otherwise [../lib/xensim] as seen from the
    program, or the checkout's [target/xensim] if the program was built in one. The error says where
    xensim was looked for. *)
