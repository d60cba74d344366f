/*
 * libcount.so: counts what a process asks of the kernel on behalf of hypercalls,
 * on a real Xen, where no simulator keeps count. To be named in LD_PRELOAD.
 *
 * It stands in front of libc's ioctl, mmap, munmap and madvise, counts, and
 * passes the call on. A program finds the two functions below by dlsym; their
 * names for things are those of xensim's counters where both count the same:
 *
 *   hypercalls             hypercalls made through /dev/xen/privcmd, in all
 *   xen_version, sysctl, domctl, memory_op, ...
 *                          by hypercall
 *   sysctl.getdomaininfolist, domctl.getdomaininfo, ...
 *                          by operation (also by number: sysctl.6)
 *   dm_ops                 device model operations: an ioctl of their own
 *   foreign_mappings       ioctls that map another domain's pages
 *   ioctls                 every ioctl
 *   mappings               calls of mmap that make memory for the hypervisor or of
 *                          another domain: of a file, or locked
 *   bytes_mapped           the sum of the lengths of those that did it
 *   unmappings, advices    calls of munmap and madvise
 *
 * OCaml 5's runtime maps memory for its heap whenever it likes: ordinary memory,
 * which is not counted. What it unmaps is, as munmap does not say of what kind
 * it is; malloc's own calls stay inside libc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define __XEN_TOOLS__ 1 /* sysctl.h and domctl.h are for the toolstack alone */
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/sys/privcmd.h>

#define EXPORT __attribute__((visibility("default")))
#define LENGTH(array) (sizeof(array) / sizeof *(array))

EXPORT int64_t count_get(const char *name);
EXPORT void count_reset(void);

typedef _Atomic int64_t counter;

/* --- the names -------------------------------------------------------------- */

/* The numbers are the public headers'. What has no name here is counted all the
 * same, and found by its number. */
static const char *const hypercall_names[64] = {
#define HYPERCALL(name) [__HYPERVISOR_##name] = #name
    HYPERCALL(memory_op),        HYPERCALL(xen_version), HYPERCALL(console_io),
    HYPERCALL(grant_table_op),   HYPERCALL(mmuext_op),   HYPERCALL(xsm_op),
    HYPERCALL(sched_op),         HYPERCALL(hvm_op),      HYPERCALL(physdev_op),
    HYPERCALL(event_channel_op), HYPERCALL(sysctl),      HYPERCALL(domctl),
    HYPERCALL(kexec_op),         HYPERCALL(dm_op),       HYPERCALL(hypfs_op),
};

static const char *const sysctl_names[64] = {
#define SYSCTL(name) [XEN_SYSCTL_##name] = #name
    SYSCTL(readconsole),       SYSCTL(physinfo),     SYSCTL(sched_id),
    SYSCTL(getdomaininfolist), SYSCTL(debug_keys),   SYSCTL(getcpuinfo),
    SYSCTL(cputopoinfo),       SYSCTL(numainfo),     SYSCTL(cpupool_op),
    SYSCTL(scheduler_op),      SYSCTL(get_cpu_featureset),
};

static const char *const domctl_names[128] = {
#define DOMCTL(name) [XEN_DOMCTL_##name] = #name
    DOMCTL(createdomain),      DOMCTL(destroydomain),     DOMCTL(pausedomain),
    DOMCTL(unpausedomain),     DOMCTL(getdomaininfo),     DOMCTL(setvcpuaffinity),
    DOMCTL(shadow_op),         DOMCTL(max_mem),           DOMCTL(setvcpucontext),
    DOMCTL(getvcpucontext),    DOMCTL(getvcpuinfo),       DOMCTL(max_vcpus),
    DOMCTL(scheduler_op),      DOMCTL(setdomainhandle),   DOMCTL(irq_permission),
    DOMCTL(iomem_permission),  DOMCTL(ioport_permission), DOMCTL(getvcpuaffinity),
    DOMCTL(resumedomain),      DOMCTL(assign_device),     DOMCTL(deassign_device),
    DOMCTL(test_assign_device),
};

/* --- the counters ------------------------------------------------------------ */

/* The last of each array takes all numbers beyond it. */
static counter by_hypercall[LENGTH(hypercall_names) + 1];
static counter by_sysctl[LENGTH(sysctl_names) + 1];
static counter by_domctl[LENGTH(domctl_names) + 1];
static counter hypercalls, dm_ops, foreign_mappings, ioctls;
static counter mappings, unmappings, advices, bytes_mapped;

static const struct {
    const char *name;
    counter *counter;
} totals[] = {
    { "hypercalls", &hypercalls }, { "dm_ops", &dm_ops },
    { "foreign_mappings", &foreign_mappings }, { "ioctls", &ioctls },
    { "mappings", &mappings }, { "unmappings", &unmappings },
    { "advices", &advices }, { "bytes_mapped", &bytes_mapped },
};

static const struct {
    const char *prefix;
    const char *const *names;
    counter *counters;
    size_t length;
} tables[] = {
    { "", hypercall_names, by_hypercall, LENGTH(hypercall_names) },
    { "sysctl.", sysctl_names, by_sysctl, LENGTH(sysctl_names) },
    { "domctl.", domctl_names, by_domctl, LENGTH(domctl_names) },
};

/* No order among counters is promised, so none is asked of the processor. */
static void add(counter *c, int64_t n)
{
    atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static void add_at(counter *counters, size_t length, uint64_t number)
{
    add(&counters[number < length ? number : length], 1);
}

/* The count of that name since the last reset, or -1 where there is no such. */
int64_t count_get(const char *name)
{
    for (size_t i = 0; i < LENGTH(totals); i++)
        if (!strcmp(name, totals[i].name))
            return *totals[i].counter;

    for (size_t t = 0; t < LENGTH(tables); t++) {
        size_t prefix = strlen(tables[t].prefix);
        const char *rest = name + prefix;
        char *end;

        if (strncmp(name, tables[t].prefix, prefix))
            continue;
        for (size_t i = 0; i < tables[t].length; i++)
            if (tables[t].names[i] && !strcmp(rest, tables[t].names[i]))
                return tables[t].counters[i];
        unsigned long number = strtoul(rest, &end, 10);
        if (*rest >= '0' && *rest <= '9' && !*end && number < tables[t].length)
            return tables[t].counters[number];
    }
    return -1;
}

void count_reset(void)
{
    for (size_t i = 0; i < LENGTH(totals); i++)
        *totals[i].counter = 0;
    for (size_t t = 0; t < LENGTH(tables); t++)
        for (size_t i = 0; i <= tables[t].length; i++)
            tables[t].counters[i] = 0;
}

static void count_hypercall(const privcmd_hypercall_t *call)
{
    add(&hypercalls, 1);
    add_at(by_hypercall, LENGTH(hypercall_names), call->op);
    /* Both structures begin with the operation's number. They are in memory that
     * the hypervisor is about to read, or (null) about to refuse. */
    const uint32_t *cmd = (const uint32_t *)(uintptr_t)call->arg[0];
    if (call->op == __HYPERVISOR_sysctl && cmd)
        add_at(by_sysctl, LENGTH(sysctl_names), *cmd);
    else if (call->op == __HYPERVISOR_domctl && cmd)
        add_at(by_domctl, LENGTH(domctl_names), *cmd);
}

/* --- the calls ---------------------------------------------------------------- */

/* The function of that name which would have been called without us. Several
 * threads may look it up at once: all find the same. */
static void *next(_Atomic(void *) *found, const char *name)
{
    void *function = atomic_load_explicit(found, memory_order_relaxed);

    if (!function) {
        function = dlsym(RTLD_NEXT, name);
        if (!function)
            abort();
        atomic_store_explicit(found, function, memory_order_relaxed);
    }
    return function;
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    static _Atomic(void *) found;
    va_list rest;

    /* Whether there is an argument only the request knows. Fetching one that is
     * not there yields a register's old content, which the kernel ignores. */
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);

    add(&ioctls, 1);
    switch (request) {
    case IOCTL_PRIVCMD_HYPERCALL:
        count_hypercall(argument);
        break;
    case IOCTL_PRIVCMD_DM_OP:
        add(&dm_ops, 1);
        break;
    case IOCTL_PRIVCMD_MMAP:
    case IOCTL_PRIVCMD_MMAPBATCH:
    case IOCTL_PRIVCMD_MMAPBATCH_V2:
    case IOCTL_PRIVCMD_MMAP_RESOURCE:
        add(&foreign_mappings, 1);
        break;
    }
    int (*real)(int, unsigned long, ...) = next(&found, "ioctl");
    return real(fd, request, argument);
}

EXPORT void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    static _Atomic(void *) found;
    int ordinary = fd == -1 && !(flags & MAP_LOCKED);

    if (!ordinary)
        add(&mappings, 1);
    void *(*real)(void *, size_t, int, int, int, off_t) = next(&found, "mmap");
    void *result = real(address, length, protection, flags, fd, offset);
    if (!ordinary && result != MAP_FAILED)
        add(&bytes_mapped, (int64_t)length);
    return result;
}

/* The same function under the name that programs of large file offsets use. */
EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
    __attribute__((alias("mmap")));

EXPORT int munmap(void *address, size_t length)
{
    static _Atomic(void *) found;

    add(&unmappings, 1);
    int (*real)(void *, size_t) = next(&found, "munmap");
    return real(address, length);
}

EXPORT int madvise(void *address, size_t length, int advice)
{
    static _Atomic(void *) found;

    add(&advices, 1);
    int (*real)(void *, size_t, int) = next(&found, "madvise");
    return real(address, length, advice);
}
