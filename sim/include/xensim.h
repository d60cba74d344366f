/*
 * xensim: what a program that knows of the simulator can ask it.
 *
 * The simulator stands in for libxencall.so.1, libxenforeignmemory.so.1 and
 * libxendevicemodel.so.1. A program that is to run on the real libraries too
 * looks these functions up with dlsym().
 */
#ifndef XENSIM_H
#define XENSIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Replaces the simulated hypervisor by a new one, configured by "KEY=VALUE,..."
 * as the environment variable XENSIM would (README.md lists the keys); NULL and
 * "" stand for the defaults. Handles and buffers stay valid, counters keep their
 * values. Returns 0, or -1 with errno EINVAL, the hypervisor being as it was.
 *
 * A program that calls this before it opens its first handle is not affected by
 * XENSIM.
 */
int xensim_configure(const char *spec);

/*
 * What was wrong when this thread last called xensim_configure; "" if nothing
 * was. Valid until the thread calls it again.
 */
const char *xensim_error(void);

/* The value of a counter; -1 with errno EINVAL if there is none of that name. */
int64_t xensim_counter(const char *name);

/* Sets all counters to zero but those that tell a state (handles, mapped_bytes). */
void xensim_reset_counters(void);

/*
 * Writes every counter that is not zero into buf, one line "name value" each,
 * cut to len - 1 bytes and ended by a zero byte. Returns the length of the whole
 * text, as snprintf does.
 */
size_t xensim_counters(char *buf, size_t len);

#ifdef __cplusplus
}
#endif

#endif
