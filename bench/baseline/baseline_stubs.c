/*
 * The domain list, bound the classic way: see baseline.mli.
 *
 * This is how one writes OCaml stubs by the book: all values registered, one
 * allocation for each block, each field stored through the write barrier. No
 * cleverness belongs here, or there would be nothing to compare with.
 */
#define CAML_NAME_SPACE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <caml/alloc.h>
#include <caml/custom.h>
#include <caml/fail.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>
#include <caml/signals.h>

#include <xencall.h>
#include <xenctrl.h>

#define MAX_DOMAINS 32768 /* more than there are domids */

/* failwith "errno: message", the way the classic stubs word it. */
static void fail(int error)
{
    char message[256];

    snprintf(message, sizeof message, "%d: %s", error, strerror(error));
    caml_failwith(message);
}

static int checked(value number, int least, int most, const char *name)
{
    if (Long_val(number) < least || Long_val(number) > most)
        caml_invalid_argument(name);
    return Int_val(number);
}

/* --- handles -------------------------------------------------------------------- */

#define Handle_val(v) (*(xc_interface **)Data_custom_val(v))

static void finalize_handle(value v)
{
    if (Handle_val(v))
        xc_interface_close(Handle_val(v));
}

static struct custom_operations handle_operations = {
    .identifier = "xenctrl_baseline.handle",
    .finalize = finalize_handle,
    .compare = custom_compare_default,
    .hash = custom_hash_default,
    .serialize = custom_serialize_default,
    .deserialize = custom_deserialize_default,
    .compare_ext = custom_compare_ext_default,
};

CAMLprim value baseline_interface_open(value unit)
{
    CAMLparam1(unit);
    CAMLlocal1(result);
    xc_interface *xch;
    int error;

    result = caml_alloc_custom(&handle_operations, sizeof xch, 0, 1);
    /* For the finaliser, should opening fail. */
    Handle_val(result) = NULL;

    caml_enter_blocking_section();
    xch = xc_interface_open(NULL, NULL, 0);
    error = errno;
    caml_leave_blocking_section();

    if (!xch)
        fail(error);
    Handle_val(result) = xch;
    CAMLreturn(result);
}

/* --- records -------------------------------------------------------------------- */

/* The numbers of the bits that are set, the highest first: constructors without
 * arguments, in the order of their type's declaration. */
static value bit_list(uint32_t bits)
{
    CAMLparam0();
    CAMLlocal2(list, cell);

    list = Val_emptylist;
    for (int bit = 0; bit < 32; bit++) {
        if (!(bits & (UINT32_C(1) << bit)))
            continue;
        cell = caml_alloc_small(2, Tag_cons);
        Field(cell, 0) = Val_int(bit);
        Field(cell, 1) = list;
        list = cell;
    }
    CAMLreturn(list);
}

static value arch_config(const xc_domaininfo_t *info)
{
    CAMLparam0();
    CAMLlocal4(result, config, emulation, misc);

    /* Both lists of the record: one of a single field would let a reader of
     * misc_flags run into the next block of the heap. */
    emulation = bit_list(info->arch_config.emulation_flags);
    misc = bit_list(info->arch_config.misc_flags);
    config = caml_alloc_tuple(2);
    Store_field(config, 0, emulation);
    Store_field(config, 1, misc);

    result = caml_alloc(1, 1); /* X86 is the second constructor with an argument */
    Store_field(result, 0, config);
    CAMLreturn(result);
}

static value domaininfo(const xc_domaininfo_t *info)
{
    CAMLparam0();
    CAMLlocal2(result, field);

    result = caml_alloc_tuple(17);
    Store_field(result, 0, Val_int(info->domain));
    Store_field(result, 1, Val_bool(info->flags & XEN_DOMINF_dying));
    Store_field(result, 2, Val_bool(info->flags & XEN_DOMINF_shutdown));
    Store_field(result, 3, Val_bool(info->flags & XEN_DOMINF_paused));
    Store_field(result, 4, Val_bool(info->flags & XEN_DOMINF_blocked));
    Store_field(result, 5, Val_bool(info->flags & XEN_DOMINF_running));
    Store_field(result, 6, Val_bool(info->flags & XEN_DOMINF_hvm_guest));
    Store_field(result, 7, Val_int((info->flags >> XEN_DOMINF_shutdownshift)
                                   & XEN_DOMINF_shutdownmask));

    /* By way of a root each: Store_field's own argument must not allocate, since
     * the block's address may be worked out before it. */
    field = caml_copy_nativeint(info->tot_pages);
    Store_field(result, 8, field);
    field = caml_copy_nativeint(info->max_pages);
    Store_field(result, 9, field);
    field = caml_copy_int64(info->shared_info_frame);
    Store_field(result, 10, field);
    field = caml_copy_int64(info->cpu_time);
    Store_field(result, 11, field);
    Store_field(result, 12, Val_int(info->nr_online_vcpus));
    Store_field(result, 13, Val_long(info->max_vcpu_id));
    field = caml_copy_int32(info->ssidref);
    Store_field(result, 14, field);

    field = caml_alloc_small(sizeof info->handle, 0);
    for (size_t i = 0; i < sizeof info->handle; i++)
        Field(field, i) = Val_int(info->handle[i]);
    Store_field(result, 15, field);

    /* With the barrier: result is no longer the youngest block and may be in the
     * major heap by now. */
    field = arch_config(info);
    Store_field(result, 16, field);
    CAMLreturn(result);
}

/* --- the calls ------------------------------------------------------------------- */

CAMLprim value baseline_getinfolist(value handle, value first_domain, value nb)
{
    CAMLparam3(handle, first_domain, nb);
    CAMLlocal3(list, cell, head);
    xc_interface *xch = Handle_val(handle);
    uint32_t first = checked(first_domain, 0, UINT16_MAX, "Baseline.getinfolist: domid");
    int max = checked(nb, 0, MAX_DOMAINS, "Baseline.getinfolist: count");
    void *buffer;
    int count, error;

    /* Page-aligned, and a little short of whole pages: the classic stubs' size. */
    if (posix_memalign(&buffer, 4096, (sizeof(xc_domaininfo_t) * max) | 0xfff))
        caml_raise_out_of_memory();

    caml_enter_blocking_section();
    count = xc_domain_getinfolist(xch, first, max, buffer);
    error = errno;
    caml_leave_blocking_section();

    if (count < 0) {
        free(buffer);
        fail(error);
    }

    list = Val_emptylist;
    for (int i = 0; i < count; i++) {
        head = domaininfo((xc_domaininfo_t *)buffer + i);
        cell = caml_alloc_small(2, Tag_cons);
        Field(cell, 0) = head;
        Field(cell, 1) = list;
        list = cell;
    }
    free(buffer);
    CAMLreturn(list);
}

CAMLprim value baseline_getinfo(value handle, value domid)
{
    CAMLparam2(handle, domid);
    xc_domaininfo_t info;
    uint32_t id = checked(domid, 0, UINT16_MAX, "Baseline.getinfo: domid");
    int count = xc_domain_getinfolist(Handle_val(handle), id, 1, &info);

    if (count < 0)
        fail(errno);
    /* The list begins at the next domain where there is none of that number. */
    if (count == 0 || info.domain != id)
        fail(ESRCH);
    CAMLreturn(domaininfo(&info));
}

CAMLprim value baseline_bare(value handle, value first_domain, value nb)
{
    CAMLparam3(handle, first_domain, nb);
    xc_interface *xch = Handle_val(handle);
    uint32_t first = checked(first_domain, 0, UINT16_MAX, "Baseline.bare: domid");
    int max = checked(nb, 1, MAX_DOMAINS, "Baseline.bare: count");
    xc_domaininfo_t *buffer;
    int count, error;

    /* The same memory as getinfolist's. */
    if (posix_memalign((void **)&buffer, 4096, (sizeof *buffer * max) | 0xfff))
        caml_raise_out_of_memory();
    caml_enter_blocking_section();
    count = xc_domain_getinfolist(xch, first, max, buffer);
    error = errno;
    caml_leave_blocking_section();
    if (count > 0)
        first = buffer[count - 1].domain + 1;
    free(buffer);
    if (count < 0)
        fail(error);
    CAMLreturn(Val_int(first));
}

/* --- the floor --------------------------------------------------------------------- */

struct floor {
    xencall_handle *xcall;
    struct xen_sysctl *sysctl; /* all three in hypercall-safe memory */
    struct xen_domctl *domctl;
    xc_domaininfo_t *domains;
    uint32_t version, max;
};

#define Floor_val(v) (*(struct floor **)Data_custom_val(v))

static void free_floor(struct floor *floor)
{
    if (!floor)
        return;
    if (floor->xcall) {
        xencall_free_buffer(floor->xcall, floor->sysctl);
        xencall_free_buffer(floor->xcall, floor->domctl);
        xencall_free_buffer(floor->xcall, floor->domains);
        xencall_close(floor->xcall);
    }
    free(floor);
}

static void finalize_floor(value v)
{
    free_floor(Floor_val(v));
}

static struct custom_operations floor_operations = {
    .identifier = "xenctrl_baseline.floor",
    .finalize = finalize_floor,
    .compare = custom_compare_default,
    .hash = custom_hash_default,
    .serialize = custom_serialize_default,
    .deserialize = custom_deserialize_default,
    .compare_ext = custom_compare_ext_default,
};

CAMLprim value baseline_floor_open(value sysctl_version, value max)
{
    CAMLparam2(sysctl_version, max);
    CAMLlocal1(result);
    struct floor *floor;

    checked(max, 1, MAX_DOMAINS, "Baseline.floor_open: count");
    result = caml_alloc_custom(&floor_operations, sizeof floor, 0, 1);
    Floor_val(result) = floor = calloc(1, sizeof *floor);
    if (!floor)
        caml_raise_out_of_memory();
    floor->version = Int_val(sysctl_version);
    floor->max = Int_val(max);

    /* What is missing stays null, and the finaliser frees the rest. */
    floor->xcall = xencall_open(NULL, 0);
    if (!floor->xcall)
        fail(errno);
    floor->sysctl = xencall_alloc_buffer(floor->xcall, sizeof *floor->sysctl);
    if (!floor->sysctl)
        fail(errno);
    floor->domctl = xencall_alloc_buffer(floor->xcall, sizeof *floor->domctl);
    if (!floor->domctl)
        fail(errno);
    floor->domains = xencall_alloc_buffer(floor->xcall, sizeof *floor->domains * floor->max);
    if (!floor->domains)
        fail(errno);
    CAMLreturn(result);
}

CAMLprim value baseline_floor(value v)
{
    CAMLparam1(v);
    struct floor *floor = Floor_val(v);

    /* All of it each time: the hypervisor writes into this structure as well. */
    memset(floor->sysctl, 0, sizeof *floor->sysctl);
    floor->sysctl->cmd = XEN_SYSCTL_getdomaininfolist;
    floor->sysctl->interface_version = floor->version;
    floor->sysctl->u.getdomaininfolist.max_domains = floor->max;
    set_xen_guest_handle_raw(floor->sysctl->u.getdomaininfolist.buffer, floor->domains);
    if (xencall1(floor->xcall, __HYPERVISOR_sysctl, (uintptr_t)floor->sysctl) < 0)
        fail(errno);
    CAMLreturn(Val_int(floor->sysctl->u.getdomaininfolist.num_domains));
}

CAMLprim value baseline_floor_getinfo(value v, value domctl_version, value domid)
{
    CAMLparam3(v, domctl_version, domid);
    struct floor *floor = Floor_val(v);

    memset(floor->domctl, 0, sizeof *floor->domctl);
    floor->domctl->cmd = XEN_DOMCTL_getdomaininfo;
    floor->domctl->interface_version = Int_val(domctl_version);
    floor->domctl->domain = checked(domid, 0, UINT16_MAX, "Baseline.floor_getinfo: domid");
    if (xencall1(floor->xcall, __HYPERVISOR_domctl, (uintptr_t)floor->domctl) < 0)
        fail(errno);
    CAMLreturn(Val_int(floor->domctl->u.getdomaininfo.domain));
}
