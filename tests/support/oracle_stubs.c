/*
 * Oracle: libxenctrl's answers, handed over as they are. Slow and plain on purpose:
 * what the tests compare with must be beyond doubt.
 */
#define CAML_NAME_SPACE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <caml/alloc.h>
#include <caml/callback.h>
#include <caml/custom.h>
#include <caml/fail.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>
#include <caml/signals.h>

#include <xenctrl.h>

#define MAX_DOMAINS 32768 /* more than there are domids */

/* --- handles and errors ------------------------------------------------------------ */

#define Xch_val(v) (*(xc_interface **)Data_custom_val(v))

static void finalize(value v)
{
    if (Xch_val(v))
        xc_interface_close(Xch_val(v));
}

static struct custom_operations operations = {
    .identifier = "test_support.oracle",
    .finalize = finalize,
    .compare = custom_compare_default,
    .hash = custom_hash_default,
    .serialize = custom_serialize_default,
    .deserialize = custom_deserialize_default,
    .compare_ext = custom_compare_ext_default,
};

/* The error number is an argument, so that whoever calls has read errno first. */
static void fail(int error, const char *function)
{
    CAMLparam0();
    CAMLlocalN(arguments, 2);
    const value *exception = caml_named_value("test_support.oracle.error");

    if (!exception) /* as long as the module Oracle is not initialised */
        caml_failwith(function);
    arguments[0] = Val_int(error);
    arguments[1] = caml_copy_string(function);
    caml_raise_with_args(*exception, 2, arguments);
    CAMLnoreturn;
}

static xc_interface *live(value handle)
{
    if (!Xch_val(handle))
        caml_invalid_argument("Oracle: the handle is closed");
    return Xch_val(handle);
}

CAMLprim value test_support_oracle_open(value unit)
{
    CAMLparam1(unit);
    CAMLlocal1(result);

    result = caml_alloc_custom(&operations, sizeof(xc_interface *), 0, 1);
    Xch_val(result) = NULL; /* for the finaliser, should opening fail */
    Xch_val(result) = xc_interface_open(NULL, NULL, 0);
    if (!Xch_val(result))
        fail(errno, "xc_interface_open");
    CAMLreturn(result);
}

CAMLprim value test_support_oracle_close(value handle)
{
    CAMLparam1(handle);
    xc_interface *xch = Xch_val(handle);

    Xch_val(handle) = NULL;
    if (xch)
        xc_interface_close(xch);
    CAMLreturn(Val_unit);
}

/* --- building records ---------------------------------------------------------------- */

/* These allocate first and store then, so that the record's address is read after
 * any move of the record. The record must be a registered root of the caller's. */
#define SET_INT(record, field, number) Store_field(record, field, Val_long(number))

#define SET_INT64(record, field, number)                \
    do {                                                \
        value boxed_ = caml_copy_int64((int64_t)(number)); \
        Store_field(record, field, boxed_);             \
    } while (0)

#define SET_BYTES(record, field, bytes, length)         \
    do {                                                \
        value string_ = caml_alloc_initialized_string(length, (const char *)(bytes)); \
        Store_field(record, field, string_);            \
    } while (0)

/* An array of char that may be full, and then has no NUL at its end. */
#define SET_TEXT(record, field, array) \
    SET_BYTES(record, field, array, strnlen((const char *)(array), sizeof(array)))

static value text(const char *array, size_t size)
{
    return caml_alloc_initialized_string(strnlen(array, size), array);
}

static value raw(const xc_domaininfo_t *info)
{
    CAMLparam0();
    CAMLlocal1(result);

    result = caml_alloc_tuple(17);
    SET_INT(result, 0, info->domain);
    SET_INT(result, 1, info->flags);
    SET_INT64(result, 2, info->tot_pages);
    SET_INT64(result, 3, info->max_pages);
    SET_INT64(result, 4, info->outstanding_pages);
    SET_INT64(result, 5, info->shr_pages);
    SET_INT64(result, 6, info->paged_pages);
    SET_INT64(result, 7, info->shared_info_frame);
    SET_INT64(result, 8, info->cpu_time);
    SET_INT(result, 9, info->nr_online_vcpus);
    SET_INT(result, 10, info->max_vcpu_id);
    SET_INT64(result, 11, info->ssidref);
    SET_BYTES(result, 12, info->handle, sizeof info->handle);
    SET_INT(result, 13, info->cpupool);
    SET_INT(result, 14, info->gpaddr_bits);
    SET_INT(result, 15, info->arch_config.emulation_flags);
    SET_INT(result, 16, info->arch_config.misc_flags);
    CAMLreturn(result);
}

/* --- the calls --------------------------------------------------------------------- */

CAMLprim value test_support_oracle_list(value handle, value first, value max)
{
    CAMLparam3(handle, first, max);
    CAMLlocal2(result, record);
    xc_interface *xch = live(handle);
    xc_domaininfo_t *buffer;
    int count, error;

    if (Long_val(first) < 0 || Long_val(first) > UINT16_MAX)
        caml_invalid_argument("Oracle.list: first");
    if (Long_val(max) < 1 || Long_val(max) > MAX_DOMAINS)
        caml_invalid_argument("Oracle.list: max");

    buffer = calloc(Long_val(max), sizeof *buffer);
    if (!buffer)
        caml_raise_out_of_memory();
    count = xc_domain_getinfolist(xch, Int_val(first), Int_val(max), buffer);
    error = errno;
    if (count < 0) {
        free(buffer);
        fail(error, "xc_domain_getinfolist");
    }

    result = count ? caml_alloc(count, 0) : Atom(0);
    for (int i = 0; i < count; i++) {
        record = raw(&buffer[i]);
        Store_field(result, i, record);
    }
    free(buffer);
    CAMLreturn(result);
}

CAMLprim value test_support_oracle_physinfo(value handle)
{
    CAMLparam1(handle);
    CAMLlocal1(result);
    xc_physinfo_t info;

    memset(&info, 0, sizeof info);
    if (xc_physinfo(live(handle), &info) < 0)
        fail(errno, "xc_physinfo");

    result = caml_alloc_tuple(15);
    SET_INT(result, 0, info.threads_per_core);
    SET_INT(result, 1, info.cores_per_socket);
    SET_INT(result, 2, info.nr_cpus);
    SET_INT(result, 3, info.max_cpu_id);
    SET_INT(result, 4, info.nr_nodes);
    SET_INT(result, 5, info.max_node_id);
    SET_INT(result, 6, info.cpu_khz);
    SET_INT(result, 7, info.capabilities);
    SET_INT(result, 8, info.arch_capabilities);
    SET_INT64(result, 9, info.total_pages);
    SET_INT64(result, 10, info.free_pages);
    SET_INT64(result, 11, info.scrub_pages);
    SET_INT64(result, 12, info.outstanding_pages);
    SET_INT64(result, 13, info.max_mfn);
    SET_BYTES(result, 14, info.hw_cap, sizeof info.hw_cap);
    CAMLreturn(result);
}

static int get_version(value handle, int command, void *answer)
{
    int result = xc_version(live(handle), command, answer);

    if (result < 0)
        fail(errno, "xc_version");
    return result;
}

CAMLprim value test_support_oracle_version(value handle)
{
    CAMLparam1(handle);
    CAMLreturn(Val_int(get_version(handle, XENVER_version, NULL)));
}

CAMLprim value test_support_oracle_extraversion(value handle)
{
    CAMLparam1(handle);
    xen_extraversion_t answer = "";

    get_version(handle, XENVER_extraversion, &answer);
    CAMLreturn(text(answer, sizeof answer));
}

CAMLprim value test_support_oracle_compile_info(value handle)
{
    CAMLparam1(handle);
    CAMLlocal1(result);
    xen_compile_info_t answer;

    memset(&answer, 0, sizeof answer);
    get_version(handle, XENVER_compile_info, &answer);
    result = caml_alloc_tuple(4);
    SET_TEXT(result, 0, answer.compiler);
    SET_TEXT(result, 1, answer.compile_by);
    SET_TEXT(result, 2, answer.compile_domain);
    SET_TEXT(result, 3, answer.compile_date);
    CAMLreturn(result);
}

CAMLprim value test_support_oracle_changeset(value handle)
{
    CAMLparam1(handle);
    xen_changeset_info_t answer = "";

    get_version(handle, XENVER_changeset, &answer);
    CAMLreturn(text(answer, sizeof answer));
}

CAMLprim value test_support_oracle_capabilities(value handle)
{
    CAMLparam1(handle);
    xen_capabilities_info_t answer = "";

    get_version(handle, XENVER_capabilities, &answer);
    CAMLreturn(text(answer, sizeof answer));
}

/* --- one number after another -------------------------------------------------------- */

/* What the question's call of libxenctrl answers, as numbers: at most `room`. Returns how many, or
 * -1 with errno. */
static int answer(xc_interface *xch, const char *question, uint32_t domid, uint32_t n,
                  int64_t *numbers, int room)
{
    memset(numbers, 0, room * sizeof *numbers);
    if (!strcmp(question, "vcpu_getinfo")) {
        xc_vcpuinfo_t info;

        if (xc_vcpu_getinfo(xch, domid, n, &info))
            return -1;
        numbers[0] = info.online;
        numbers[1] = info.blocked;
        numbers[2] = info.running;
        numbers[3] = info.cpu_time;
        numbers[4] = info.cpu;
        return 5;
    }
    if (!strcmp(question, "vcpu_getaffinity")) {
        int cpus = xc_get_max_cpus(xch), result;
        xc_cpumap_t map = xc_cpumap_alloc(xch);

        if (!map || cpus < 0 || cpus > room) {
            free(map);
            errno = ENOMEM;
            return -1;
        }
        result = xc_vcpu_getaffinity(xch, domid, n, map, NULL, XEN_VCPUAFFINITY_HARD);
        for (int i = 0; i < cpus; i++)
            numbers[i] = map[i / 8] >> i % 8 & 1;
        free(map);
        return result ? -1 : cpus;
    }
    if (!strcmp(question, "sched_id")) {
        int id;

        if (xc_sched_id(xch, &id))
            return -1;
        numbers[0] = id;
        return 1;
    }
    if (!strcmp(question, "hvm_param_get"))
        return xc_hvm_param_get(xch, domid, n, (uint64_t *)numbers) ? -1 : 1;
    if (!strcmp(question, "shadow_allocation")) {
        unsigned int mb = 0;

        if (xc_shadow_control(xch, domid, XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, &mb, 0))
            return -1;
        numbers[0] = mb;
        return 1;
    }
    if (!strcmp(question, "evtchn_status")) {
        xc_evtchn_status_t status = { .dom = domid, .port = n };

        if (xc_evtchn_status(xch, &status))
            return -1;
        numbers[0] = status.status;
        numbers[1] = status.vcpu;
        numbers[2] = status.u.unbound.dom;
        return 3;
    }
    errno = ENOSYS;
    return -1;
}

CAMLprim value test_support_oracle_ask(value handle, value question, value domid, value n)
{
    CAMLparam4(handle, question, domid, n);
    CAMLlocal2(result, number);
    xc_interface *xch = live(handle);
    enum { ROOM = 4096 };
    int64_t *numbers = malloc(ROOM * sizeof *numbers);
    int count, error;

    if (!numbers)
        caml_raise_out_of_memory();
    count = answer(xch, String_val(question), Int_val(domid), Int_val(n), numbers, ROOM);
    error = errno;
    if (count < 0) {
        free(numbers);
        fail(error, "ask");
    }
    result = caml_alloc(count, 0);
    for (int i = 0; i < count; i++) {
        number = caml_copy_int64(numbers[i]);
        Store_field(result, i, number);
    }
    free(numbers);
    CAMLreturn(result);
}

/* The interface versions that the build machine's libxenctrl speaks. */
CAMLprim value test_support_oracle_interfaces(value unit)
{
    CAMLparam1(unit);
    CAMLlocal1(result);

    result = caml_alloc_tuple(2);
    Store_field(result, 0, Val_int(XEN_SYSCTL_INTERFACE_VERSION));
    Store_field(result, 1, Val_int(XEN_DOMCTL_INTERFACE_VERSION));
    CAMLreturn(result);
}
