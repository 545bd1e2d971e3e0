/* SPDX-License-Identifier: MIT */
/*
 * What it takes to build a way of waiting of one's own.
 */
#ifndef FIBER_BLOCK_H
#define FIBER_BLOCK_H

#include <fiber/base.h>

#ifdef __cplusplus
#include <atomic>
#define FIBER_WORD std::atomic<uint32_t>
#else
#define FIBER_WORD _Atomic uint32_t
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A futex for fibers and all other threads: wait while *word is `seen`, until
 * somebody wakes whoever waits for the word; 0 then, for no other reason. Who
 * changes the word, and then wakes, leaves nobody behind who saw it as it was.
 * -EAGAIN if it is not `seen`; -ETIMEDOUT, -ECANCELED, -ENOMEM.
 */
FIBER_API int fiber_block_on(const FIBER_WORD *word, uint32_t seen,
			     int64_t deadline);

/*
 * Wake up to n of those that wait for the word, who waited longest first.
 * Returns how many. The word itself is not looked at, and may be gone. -EINVAL,
 * -ENOMEM for the first call of a thread.
 */
FIBER_API int fiber_wake(const FIBER_WORD *word, int n);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_BLOCK_H */
