/*
 * A libxencall whose hypervisor answers whatever the fuzzer's bytes say: it succeeds or fails, and
 * writes anything anywhere into the buffer that holds the argument. Buffers are the allocator's, so
 * that AddressSanitizer sees what is read or written beside them.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define MOST_PAGES (8u << 20 >> 12) /* more than twice the longest list */
#define MOST_BUFFERS 64

static const uint8_t *bytes;
static size_t left;
static int honest;
static uint32_t minor_version;

static struct { char *start; size_t pages; } buffers[MOST_BUFFERS];
static size_t pages_in_use;

/* The fuzzer's bytes from now on. While `honest` is set a Xen of that minor version answers as
 * opening a handle wants. */
void hostile_begin(const uint8_t *data, size_t length, uint32_t minor)
{
    bytes = data;
    left = length;
    minor_version = minor;
    honest = 1;
}

void hostile_turn(void)
{
    honest = 0;
}

size_t hostile_left(void)
{
    return left;
}

/* The next byte; zeroes behind the last. */
uint8_t hostile_byte(void)
{
    if (!left)
        return 0;
    left--;
    return *bytes++;
}

size_t hostile_pages(void)
{
    return pages_in_use;
}

static uint32_t number(int length)
{
    uint32_t n = 0;

    while (length--)
        n = n << 8 | hostile_byte();
    return n;
}

static void scribble(char *start, size_t size)
{
    size_t count = hostile_byte() % 8;

    while (count--) {
        /* The argument is at the beginning, and small: mostly there. */
        uint8_t kind = hostile_byte();
        size_t at = kind & 1 ? number(3) % size : number(1);
        size_t length = kind & 2 ? number(2) : kind >> 4;

        if (length > size - at)
            length = size - at;
        if (kind & 4)
            memset(start + at, hostile_byte(), length);
        else
            for (size_t i = 0; i < length; i++)
                start[at + i] = hostile_byte();
    }
}

static long answer(unsigned op, uint64_t first, uint64_t argument)
{
    if (honest) {
        if (op == 17 && first == 0)
            return 4 << 16 | minor_version;
        errno = ENOSYS;
        return -1;
    }
    for (size_t i = 0; i < MOST_BUFFERS; i++) {
        char *start = buffers[i].start;
        if (start && argument >= (uintptr_t)start &&
            argument < (uintptr_t)start + buffers[i].pages * PAGE)
            scribble(start, buffers[i].pages * PAGE);
    }
    uint8_t outcome = hostile_byte();
    if (outcome & 1) {
        errno = number(1);
        return -1;
    }
    return outcome & 2 ? (long)number(4) : 0;
}

int xencall1(void *handle, unsigned op, uint64_t a)
{
    (void)handle;
    return (int)answer(op, 0, a);
}

int xencall2(void *handle, unsigned op, uint64_t a, uint64_t b)
{
    (void)handle;
    return (int)answer(op, a, b);
}

long xencall2L(void *handle, unsigned op, uint64_t a, uint64_t b)
{
    (void)handle;
    return answer(op, a, b) << (hostile_byte() & 31);
}

void *xencall_alloc_buffer_pages(void *handle, size_t pages)
{
    (void)handle;
    if (pages > MOST_PAGES - pages_in_use) {
        errno = ENOMEM;
        return NULL;
    }
    for (size_t i = 0; i < MOST_BUFFERS; i++)
        if (!buffers[i].start) {
            buffers[i].start = aligned_alloc(PAGE, pages * PAGE);
            buffers[i].pages = pages;
            memset(buffers[i].start, 0, pages * PAGE);
            pages_in_use += pages;
            return buffers[i].start;
        }
    errno = ENOMEM;
    return NULL;
}

void xencall_free_buffer_pages(void *handle, void *start, size_t pages)
{
    (void)handle;
    for (size_t i = 0; i < MOST_BUFFERS; i++)
        if (buffers[i].start == start && buffers[i].pages == pages) {
            free(start);
            buffers[i].start = NULL;
            pages_in_use -= pages;
            return;
        }
    abort(); /* not a buffer, or of another size */
}

void *xencall_open(void *logger, unsigned flags)
{
    static int handle;

    (void)logger;
    (void)flags;
    return &handle;
}

int xencall_close(void *handle)
{
    (void)handle;
    return 0;
}
