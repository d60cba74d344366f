/*
 * The stubs that the storm calls, bound the classic way, over libxenctrl: the list is
 * the baseline's, and the rest is what one writes by the book around a call each. All
 * values are registered, the runtime lock is released around the hypercall.
 */
#include "baseline_stubs.c"

CAMLprim value stub_xc_interface_open(value unit)
{
    return baseline_interface_open(unit);
}

CAMLprim value stub_xc_domain_getinfolist(value handle, value first, value nb)
{
    return baseline_getinfolist(handle, first, nb);
}

/* Runs a call of libxenctrl with the lock released; what it refuses is raised. */
#define CALL(call)                                                                     \
    do {                                                                               \
        int result_, error_;                                                           \
        caml_enter_blocking_section();                                                 \
        result_ = (call);                                                              \
        error_ = errno;                                                                \
        caml_leave_blocking_section();                                                 \
        if (result_)                                                                   \
            fail(error_);                                                              \
    } while (0)

static void read_uuid(xen_domain_handle_t uuid, value text)
{
    const char *at = String_val(text);

    for (size_t i = 0; i < sizeof(xen_domain_handle_t); i++) {
        int used = 0;

        if (*at == '-')
            at++;
        if (sscanf(at, "%2hhx%n", &uuid[i], &used) != 1 || used != 2)
            caml_invalid_argument("a UUID is malformed");
        at += 2;
    }
}

/* Constructors without arguments are the numbers of bits. */
static uint32_t bits(value list)
{
    uint32_t result = 0;

    for (; list != Val_emptylist; list = Field(list, 1))
        result |= UINT32_C(1) << Int_val(Field(list, 0));
    return result;
}

CAMLprim value stub_xc_domain_create(value handle, value wanted, value config)
{
    CAMLparam3(handle, wanted, config);
    xc_interface *xch = Handle_val(handle);
    uint32_t domid = Int_val(wanted);
    /* The fields in the order of the record of 4.17. */
    value x86 = Field(Field(config, 10), 0);
    struct xen_domctl_createdomain create = {
        .ssidref = Int32_val(Field(config, 0)),
        .flags = bits(Field(config, 2)),
        .iommu_opts = bits(Field(config, 3)),
        .max_vcpus = Int_val(Field(config, 4)),
        .max_evtchn_port = Int_val(Field(config, 5)),
        .max_grant_frames = Int_val(Field(config, 6)),
        .max_maptrack_frames = Int_val(Field(config, 7)),
        .grant_opts = XEN_DOMCTL_GRANT_version(Int_val(Field(config, 8))),
        .cpupool_id = Int32_val(Field(config, 9)),
        .arch.emulation_flags = bits(Field(x86, 0)),
        .arch.misc_flags = bits(Field(x86, 1)),
    };

    read_uuid(create.handle, Field(config, 1));
    CALL(xc_domain_create(xch, &domid, &create));
    CAMLreturn(Val_int(domid));
}

CAMLprim value stub_xc_domain_sethandle(value handle, value domid, value text)
{
    CAMLparam3(handle, domid, text);
    xc_interface *xch = Handle_val(handle);
    xen_domain_handle_t uuid;

    read_uuid(uuid, text);
    CALL(xc_domain_sethandle(xch, Int_val(domid), uuid));
    CAMLreturn(Val_unit);
}

CAMLprim value stub_xc_domain_max_vcpus(value handle, value domid, value max)
{
    CAMLparam3(handle, domid, max);
    xc_interface *xch = Handle_val(handle);

    CALL(xc_domain_max_vcpus(xch, Int_val(domid), Int_val(max)));
    CAMLreturn(Val_unit);
}

CAMLprim value stub_xc_domain_setmaxmem(value handle, value domid, value kib)
{
    CAMLparam3(handle, domid, kib);
    xc_interface *xch = Handle_val(handle);
    uint64_t max = Int64_val(kib);

    CALL(xc_domain_setmaxmem(xch, Int_val(domid), max));
    CAMLreturn(Val_unit);
}

CAMLprim value stub_xc_domain_unpause(value handle, value domid)
{
    CAMLparam2(handle, domid);
    xc_interface *xch = Handle_val(handle);

    CALL(xc_domain_unpause(xch, Int_val(domid)));
    CAMLreturn(Val_unit);
}

CAMLprim value stub_xc_domain_shutdown(value handle, value domid, value reason)
{
    CAMLparam3(handle, domid, reason);
    xc_interface *xch = Handle_val(handle);

    CALL(xc_domain_shutdown(xch, Int_val(domid), Int_val(reason)));
    CAMLreturn(Val_unit);
}

CAMLprim value stub_xc_domain_destroy(value handle, value domid)
{
    CAMLparam2(handle, domid);
    xc_interface *xch = Handle_val(handle);

    CALL(xc_domain_destroy(xch, Int_val(domid)));
    CAMLreturn(Val_unit);
}
