/*
 * The record of a domain, built by the book but for one line: upstream stores the last field as
 * if the record were still young (Xen 4.20.4, 4.21.2, 4.22.0). Nothing here is ever linked into
 * the library; it is what its nets must catch.
 */
#define CAML_NAME_SPACE
#include <stdint.h>

#include <caml/alloc.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>

value fish_right(value number);
value fish_broken(value number);

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

static value arch_config(uint32_t flags)
{
    CAMLparam0();
    CAMLlocal3(result, record, list);

    list = bit_list(flags);
    record = caml_alloc_tuple(2);
    Store_field(record, 0, list);
    Store_field(record, 1, Val_emptylist);
    result = caml_alloc_small(1, 1);
    Field(result, 0) = record;
    CAMLreturn(result);
}

static value build(long number, int barrier)
{
    CAMLparam0();
    CAMLlocal2(result, field);

    result = caml_alloc_tuple(17);
    for (int i = 0; i < 16; i++)
        Store_field(result, i, Val_long(number + i));
    field = arch_config(number & 0x7ff);
    if (barrier)
        Store_field(result, 16, field);
    else
        Field(result, 16) = field;
    CAMLreturn(result);
}

value fish_right(value number)
{
    return build(Long_val(number), 1);
}

value fish_broken(value number)
{
    return build(Long_val(number), 0);
}
