/*
 * Counters and Xensim: both are found at run time, since the same test program runs
 * on the simulator, on a real Xen, and with or without the preloaded counters.
 */
#define CAML_NAME_SPACE
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>

#include <caml/alloc.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>

enum source { NOTHING, XENSIM, PRELOAD };

static struct {
    enum source source;
    int64_t (*get)(const char *name);
    void (*reset)(void);
    int (*configure)(const char *text);
    const char *(*error)(void);
} found;

static void look(void)
{
    /* Loaded here, because nobody else may have needed it yet, and never closed:
     * what is configured now must hold for the handles opened later. */
    void *xencall = dlopen("libxencall.so.1", RTLD_NOW);

    if (xencall) {
        found.configure = (int (*)(const char *))dlsym(xencall, "xensim_configure");
        found.error = (const char *(*)(void))dlsym(xencall, "xensim_error");
        found.get = (int64_t (*)(const char *))dlsym(xencall, "xensim_counter");
        found.reset = (void (*)(void))dlsym(xencall, "xensim_reset_counters");
        if (found.configure && found.error && found.get && found.reset) {
            found.source = XENSIM;
            return;
        }
    }
    found.get = (int64_t (*)(const char *))dlsym(RTLD_DEFAULT, "count_get");
    found.reset = (void (*)(void))dlsym(RTLD_DEFAULT, "count_reset");
    if (found.get && found.reset)
        found.source = PRELOAD;
}

static enum source source(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, look);
    return found.source;
}

CAMLprim value test_support_counters_source(value unit)
{
    (void)unit;
    return Val_int(source());
}

CAMLprim value test_support_counters_get(value name)
{
    CAMLparam1(name);
    CAMLreturn(Val_long(source() == NOTHING ? -1 : found.get(String_val(name))));
}

CAMLprim value test_support_counters_reset(value unit)
{
    if (source() != NOTHING)
        found.reset();
    return unit;
}

CAMLprim value test_support_xensim_available(value unit)
{
    (void)unit;
    return Val_bool(source() == XENSIM);
}

CAMLprim value test_support_xensim_configure(value text)
{
    CAMLparam1(text);
    CAMLlocal2(result, error);

    result = Val_int(0); /* None */
    if (source() == XENSIM && found.configure(String_val(text)) != 0) {
        const char *words = found.error();

        error = caml_copy_string(words ? words : "xensim gave no reason");
        result = caml_alloc(1, 0);
        Store_field(result, 0, error);
    }
    CAMLreturn(result);
}
