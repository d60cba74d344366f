/* Found at run time: the allocator is preloaded or it is not there. */
#define CAML_NAME_SPACE
#define _GNU_SOURCE
#include <dlfcn.h>

#include <caml/mlvalues.h>

static void (*order)(long, long);
static long (*end)(void);

value scarce_available(value unit)
{
    (void)unit;
    order = (void (*)(long, long))dlsym(RTLD_DEFAULT, "scarce_order");
    end = (long (*)(void))dlsym(RTLD_DEFAULT, "scarce_end");
    return Val_bool(order && end);
}

/* Neither allocates. */
value scarce_order_stub(value first, value count)
{
    order(Long_val(first), Long_val(count));
    return Val_unit;
}

value scarce_end_stub(value unit)
{
    (void)unit;
    return Val_long(end());
}
