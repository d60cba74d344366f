/* A C stub library as an existing package has it, for the relink test: the list over libxenctrl,
 * and every other symbol of the module's externals, which the test's program does not call. */

#include "../../bench/baseline/baseline_stubs.c"

CAMLprim value stub_xc_interface_open(value unit)
{
    return baseline_interface_open(unit);
}

CAMLprim value stub_xc_domain_getinfolist(value handle, value first, value nb)
{
    return baseline_getinfolist(handle, first, nb);
}

/* One line for each remaining symbol, made from the list of them. */
#define UNUSED(name) \
    CAMLprim value name(value unit) { caml_failwith(#name ": not in this test"); return unit; }
#include "unused.h"
