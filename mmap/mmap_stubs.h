/* What a value of OCaml's type Xenmmap.mmap_interface holds. For C code that works on mapped
 * memory itself: a block of tag Abstract_tag, to be read by Data_abstract_val. addr is MAP_FAILED
 * after Xenmmap.unmap. The collector may move the block, never the memory. */

#ifndef C_MMAP_H
#define C_MMAP_H

#include <caml/mlvalues.h>
#include <caml/memory.h>
#include <caml/alloc.h>
#include <caml/custom.h>
#include <caml/fail.h>
#include <caml/callback.h>

struct mmap_interface {
    void *addr;
    int len; /* bytes */
};

#ifndef Data_abstract_val
#define Data_abstract_val(v) ((void *)Op_val(v))
#endif

#endif
