/* SPDX-License-Identifier: MIT */
/*
 * Calls that block a thread; and what it takes to build a way of waiting of one's
 * own that does not.
 *
 * A system call, a page fault or a lock of another library stops the thread, and
 * so the worker, that a fiber runs on. A monitor notices within two
 * milliseconds, and has a spare thread go on with other fibers in its place; a
 * fiber that is seen to block twice is given a thread of its own beforehand.
 * fiber_blocking_begin() says it in advance: others go on at once.
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
 * The calling fiber is going to block its thread. Until the matching
 * fiber_blocking_end() it runs on a thread that does not count as a worker. It
 * may call this library meanwhile, and may change thread when it waits there.
 * Pairs may be nested, 255 deep. If there is no spare
 * thread yet, or can be no more (fiber_config.spares), the fiber keeps its
 * worker, as it would without, until the monitor sees that it blocks. Does
 * nothing in a thread that runs no fiber.
 *
 * Some 40 ns a pair when nobody waits for the worker (AMD EPYC).
 */
FIBER_API void fiber_blocking_begin(void);

/*
 * The fiber has done so. It goes on where it is if a worker is idle, else it
 * waits for its turn. Without fiber_blocking_begin(): nothing.
 */
FIBER_API void fiber_blocking_end(void);

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
