/* SPDX-License-Identifier: MIT */
/*
 * What all headers of libfiber share: version, errors, time.
 */
#ifndef FIBER_BASE_H
#define FIBER_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FIBER_API __attribute__((visibility("default")))

/* Major, minor and patch of these headers, eight bits each from bit 16 down. */
#define FIBER_VERSION_NUMBER 0x000100u

/* The deadline that never comes. */
#define FIBER_FOREVER INT64_MAX

/* Version of the library that is linked, as FIBER_VERSION_NUMBER. */
FIBER_API uint32_t fiber_version(void);

/*
 * Now, in nanoseconds of CLOCK_MONOTONIC; of the virtual clock where one was
 * asked for (FIBER_TEST_CLOCK in run.h).
 */
FIBER_API int64_t fiber_now(void);

/*
 * The deadline that is so many nanoseconds from now. Saturates: of a negative
 * number it is now, and FIBER_FOREVER stays FIBER_FOREVER.
 */
FIBER_API int64_t fiber_after(int64_t ns);

/*
 * A sentence for a negative error number that this library returned. Of a
 * number that it never returns, the C library's description. Valid for ever.
 */
FIBER_API const char *fiber_strerror(int err);

/*
 * errno of the thread that runs the caller at this instant, read by a call that
 * the compiler cannot merge with another: what it takes instead of errno itself
 * right after a system call, in functions that also call this library.
 */
FIBER_API int fiber_errno(void);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_BASE_H */
