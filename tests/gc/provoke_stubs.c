/*
 * Collections where stubs allocate, and around each hypercall.
 *
 * The linker sends the calls of the functions below here (--wrap). Any of them may collect at any
 * time: a stub that survives only because it seldom happens is wrong. PROVOKE_COMPACT=N makes
 * every N-th collection a compaction, which moves what is old as well.
 */
#define CAML_NAME_SPACE
#define CAML_INTERNALS
#include <stdlib.h>

#include <caml/alloc.h>
#include <caml/version.h>
#if OCAML_VERSION < 50000
#include <caml/compact.h>
#endif
#include <caml/custom.h>
#include <caml/major_gc.h>
#include <caml/minor_gc.h>
#include <caml/mlvalues.h>
#include <caml/signals.h>

value __real_caml_alloc_small(mlsize_t words, tag_t tag);
value __real_caml_alloc(mlsize_t words, tag_t tag);
value __real_caml_alloc_custom(struct custom_operations *, uintnat, mlsize_t, mlsize_t);
value __real_caml_alloc_initialized_string(mlsize_t, const char *);
void __real_caml_enter_blocking_section_no_pending(void);
void __real_caml_leave_blocking_section(void);

value __wrap_caml_alloc_small(mlsize_t words, tag_t tag);
value __wrap_caml_alloc(mlsize_t words, tag_t tag);
value __wrap_caml_alloc_custom(struct custom_operations *, uintnat, mlsize_t, mlsize_t);
value __wrap_caml_alloc_initialized_string(mlsize_t, const char *);
void __wrap_caml_enter_blocking_section_no_pending(void);
void __wrap_caml_leave_blocking_section(void);

/* Until the program has begun, the runtime itself is not whole. */
static long compact_every = -1;
static long collections;

value provoke_begin(value unit)
{
    const char *every = getenv("PROVOKE_COMPACT");

    compact_every = every ? atol(every) : 0;
    return unit;
}

value provoke_collections(value unit)
{
    (void)unit;
    return Val_long(collections);
}

/* With the runtime lock held, and without running any OCaml code. */
static void collect(void)
{
    if (compact_every < 0)
        return;
    collections++;
#if OCAML_VERSION < 50000
    caml_empty_minor_heap();
    if (compact_every && collections % compact_every == 0) {
        caml_finish_major_cycle();
        caml_compact_heap(-1);
    }
#else
    caml_empty_minor_heaps_once();
    if (compact_every && collections % compact_every == 0)
        caml_finish_major_cycle(1);
#endif
}

value __wrap_caml_alloc_small(mlsize_t words, tag_t tag)
{
    collect();
    return __real_caml_alloc_small(words, tag);
}

value __wrap_caml_alloc(mlsize_t words, tag_t tag)
{
    collect();
    return __real_caml_alloc(words, tag);
}

value __wrap_caml_alloc_custom(struct custom_operations *operations, uintnat size, mlsize_t used,
                               mlsize_t most)
{
    collect();
    return __real_caml_alloc_custom(operations, size, used, most);
}

value __wrap_caml_alloc_initialized_string(mlsize_t length, const char *bytes)
{
    collect();
    return __real_caml_alloc_initialized_string(length, bytes);
}

void __wrap_caml_enter_blocking_section_no_pending(void)
{
    collect();
    __real_caml_enter_blocking_section_no_pending();
}

void __wrap_caml_leave_blocking_section(void)
{
    __real_caml_leave_blocking_section();
    collect();
}
