#define CAML_NAME_SPACE
#include <time.h>

#include <caml/mlvalues.h>

intnat bench_nanoseconds(value unit)
{
    struct timespec now;

    (void)unit;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (intnat)now.tv_sec * 1000000000 + now.tv_nsec;
}

CAMLprim value bench_nanoseconds_bytecode(value unit)
{
    return Val_long(bench_nanoseconds(unit));
}
