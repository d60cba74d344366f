/* Hands calls on to the shared object bench_interop: see interop.mli. */
#define CAML_NAME_SPACE
#include <dlfcn.h>

#include <caml/fail.h>
#include <caml/mlvalues.h>

static value (*open_handle)(value sysctl, value domctl, value max);
static value (*list)(value unit);
static value (*getinfo)(value domid);

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);

    if (!found)
        caml_failwith(name);
    return found;
}

CAMLprim value bench_interop_load(value file)
{
    /* Never closed: its functions may be called until the process ends. */
    void *library = dlopen(String_val(file), RTLD_NOW | RTLD_LOCAL);

    if (!library)
        caml_failwith(dlerror());
    open_handle = (value(*)(value, value, value))symbol(library, "bench_interop_open");
    list = (value(*)(value))symbol(library, "bench_interop_list");
    getinfo = (value(*)(value))symbol(library, "bench_interop_getinfo");
    return Val_unit;
}

CAMLprim value bench_interop_do_open(value sysctl, value domctl, value max)
{
    return open_handle(sysctl, domctl, max);
}

CAMLprim value bench_interop_do_list(value unit)
{
    return list(unit);
}

CAMLprim value bench_interop_do_getinfo(value unit, value domid)
{
    (void)unit;
    return getinfo(domid);
}
