(-runtime-variant
 d
 -ccopt
 -Wl,--wrap=caml_alloc_small,--wrap=caml_alloc,--wrap=caml_alloc_custom,--wrap=caml_alloc_initialized_string
 -ccopt
 -Wl,--wrap=caml_enter_blocking_section_no_pending,--wrap=caml_leave_blocking_section)
