/*
 * libscarce.so: an allocator that fails to order. To be named in LD_PRELOAD.
 *
 * It stands in front of libc's malloc and its kin. As long as a thread has ordered nothing,
 * every call is passed on. scarce_order(first, count) makes the thread's allocations fail from
 * the first-th on, so many of them; scarce_end() ends that, and says how many allocations the
 * thread made meanwhile. Allocations of the simulated hypervisor do not count and do not fail:
 * it stands for a machine beyond the process.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* The names under which glibc has its own. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

EXPORT void scarce_order(long first, long count);
EXPORT long scarce_end(void);

static __thread struct {
    int ordered;
    long seen, first, count;
} state __attribute__((tls_model("initial-exec")));

void scarce_order(long first, long count)
{
    state.seen = 0;
    state.first = first;
    state.count = count;
    state.ordered = 1;
}

long scarce_end(void)
{
    state.ordered = 0;
    return state.seen;
}

static int fails(void *caller)
{
    Dl_info info;
    int hypervisor;

    if (!state.ordered)
        return 0;
    state.ordered = 0; /* should dladdr allocate */
    hypervisor = dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "libxencall");
    state.ordered = 1;
    if (hypervisor)
        return 0;
    state.seen++;
    if (state.seen < state.first || state.seen - state.first >= state.count)
        return 0;
    errno = ENOMEM;
    return 1;
}

#define FAILS fails(__builtin_return_address(0))

EXPORT void *malloc(size_t size)
{
    return FAILS ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    return FAILS ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
    return FAILS ? NULL : __libc_realloc(old, size);
}

EXPORT void *memalign(size_t alignment, size_t size)
{
    return FAILS ? NULL : __libc_memalign(alignment, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return FAILS ? NULL : __libc_memalign(alignment, size);
}

EXPORT int posix_memalign(void **result, size_t alignment, size_t size)
{
    void *memory;

    if (FAILS || !(memory = __libc_memalign(alignment, size)))
        return ENOMEM;
    *result = memory;
    return 0;
}
