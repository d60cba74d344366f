/*
 * What it takes to make a domain execute, and this project's interface has not: memory
 * behind guest frames, and registers. By libxencall, whose ABI every release shares, so
 * that one program does it on each.
 */
#define CAML_NAME_SPACE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <caml/alloc.h>
#include <caml/fail.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>

#include <xencall.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/hvm/save.h>
#include <xen/memory.h>

#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))

static void fail_if(int error, const char *what)
{
    char text[128];

    if (!error)
        return;
    snprintf(text, sizeof text, "%s: %d: %s", what, error, strerror(error));
    caml_failwith(text);
}

/* --- memory ------------------------------------------------------------------------- */

/* The argument and what it points to: the hypervisor reads both by address. */
struct reservation {
    struct xen_memory_reservation argument;
    xen_pfn_t frames[256];
};

static int populate(xencall_handle *call, unsigned domid, unsigned count)
{
    struct reservation *r = xencall_alloc_buffer(call, sizeof *r);
    int done, error = 0;

    if (!r)
        return errno;
    memset(r, 0, sizeof *r);
    for (unsigned i = 0; i < count; i++)
        r->frames[i] = i;
    set_xen_guest_handle(r->argument.extent_start, r->frames);
    r->argument.nr_extents = count;
    r->argument.domid = domid;
    done = xencall2(call, __HYPERVISOR_memory_op, XENMEM_populate_physmap, (uintptr_t)&r->argument);
    if (done < 0)
        error = errno;
    else if (done != (int)count)
        error = ENOMEM;
    xencall_free_buffer(call, r);
    return error;
}

CAMLprim value test_support_guest_populate(value domid, value count)
{
    struct xencall_handle *call;
    int error;

    if (Long_val(count) < 0 || Long_val(count) > (long)NELEMS(((struct reservation *)0)->frames))
        caml_invalid_argument("Guest.populate");
    call = xencall_open(NULL, 0);
    if (!call)
        fail_if(errno, "xencall_open");
    error = populate(call, Long_val(domid), Long_val(count));
    xencall_close(call);
    fail_if(error, "XENMEM_populate_physmap");
    return Val_unit;
}

/* --- registers ---------------------------------------------------------------------- */

/* The records that the hypervisor is given: who saved, the vCPU, the end. */
struct context {
    struct hvm_save_descriptor header_d;
    HVM_SAVE_TYPE(HEADER) header;
    struct hvm_save_descriptor cpu_d;
    HVM_SAVE_TYPE(CPU) cpu;
    struct hvm_save_descriptor end_d;
    HVM_SAVE_TYPE(END) end;
} __attribute__((packed));

struct context_call {
    struct xen_domctl domctl;
    uint8_t data[65536]; /* all that a vCPU or two have is some KiB */
};

static int context_op(xencall_handle *call, struct context_call *c, uint32_t command,
                      unsigned version, unsigned domid, size_t size)
{
    memset(&c->domctl, 0, sizeof c->domctl);
    c->domctl.cmd = command;
    c->domctl.interface_version = version;
    c->domctl.domain = domid;
    c->domctl.u.hvmcontext.size = size;
    set_xen_guest_handle(c->domctl.u.hvmcontext.buffer, c->data);
    return xencall1(call, __HYPERVISOR_domctl, (uintptr_t)&c->domctl) < 0 ? errno : 0;
}

/* Protected mode without paging, every segment all of the address space: where a PVH
   guest begins. Interrupts are off. */
static void set_registers(HVM_SAVE_TYPE(CPU) *cpu, uint32_t entry)
{
    cpu->cr0 = 0x11; /* PE, ET */
    cpu->rip = entry;
    cpu->rflags = 2; /* the bit that is always set */
    cpu->dr6 = 0xffff0ff0;
    cpu->dr7 = 0x400;
    cpu->cs_limit = cpu->ds_limit = cpu->es_limit = cpu->ss_limit = 0xffffffff;
    cpu->cs_arbytes = 0xc9b;                                     /* code, 32 bits */
    cpu->ds_arbytes = cpu->es_arbytes = cpu->ss_arbytes = 0xc93; /* data, ring 0 */
    cpu->tr_limit = 0x67;
    cpu->tr_arbytes = 0x8b;
}

static int start(xencall_handle *call, unsigned version, unsigned domid, unsigned vcpu,
                 uint32_t entry)
{
    const size_t head = offsetof(struct context, cpu_d);
    struct context_call *c = xencall_alloc_buffer(call, sizeof *c);
    struct context context;
    int error;

    if (!c)
        return errno;
    /* The header names the hypervisor and its CPU: only it can write one that it accepts. */
    error = context_op(call, c, XEN_DOMCTL_gethvmcontext, version, domid, sizeof c->data);
    if (!error && c->domctl.u.hvmcontext.size < head)
        error = EIO; /* less than there must be */
    if (!error) {
        memset(&context, 0, sizeof context);
        memcpy(&context, c->data, head);
        context.cpu_d.typecode = HVM_SAVE_CODE(CPU);
        context.cpu_d.instance = vcpu;
        context.cpu_d.length = HVM_SAVE_LENGTH(CPU);
        /* In a variable of its own: the record's place is aligned to 4 only. */
        HVM_SAVE_TYPE(CPU) cpu;
        memset(&cpu, 0, sizeof cpu);
        set_registers(&cpu, entry);
        memcpy((char *)&context + offsetof(struct context, cpu), &cpu, sizeof cpu);
        context.end_d.typecode = HVM_SAVE_CODE(END);
        context.end_d.length = HVM_SAVE_LENGTH(END);
        memcpy(c->data, &context, sizeof context);
        error = context_op(call, c, XEN_DOMCTL_sethvmcontext, version, domid, sizeof context);
    }
    xencall_free_buffer(call, c);
    return error;
}

CAMLprim value test_support_guest_start(value version, value domid, value vcpu, value entry)
{
    struct xencall_handle *call = xencall_open(NULL, 0);
    int error;

    if (!call)
        fail_if(errno, "xencall_open");
    error = start(call, Long_val(version), Long_val(domid), Long_val(vcpu), Long_val(entry));
    xencall_close(call);
    fail_if(error, "the vCPU's registers");
    return Val_unit;
}
