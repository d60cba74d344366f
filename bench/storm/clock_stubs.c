#define CAML_NAME_SPACE
#include <time.h>

#include <caml/mlvalues.h>

/* The numbers are those of the constructors of Clock.t. */
static const clockid_t clocks[] = {
    CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID
};

intnat storm_nanoseconds(value clock)
{
    struct timespec now;

    clock_gettime(clocks[Long_val(clock)], &now);
    return (intnat)now.tv_sec * 1000000000 + now.tv_nsec;
}

CAMLprim value storm_nanoseconds_bytecode(value clock)
{
    return Val_long(storm_nanoseconds(clock));
}
