/* SPDX-License-Identifier: MIT */
/*
 * Calls that block a thread.
 *
 * A system call, a page fault or a lock of another library stops the thread, and
 * so the worker, that a fiber runs on. A monitor notices within two
 * milliseconds, and has a spare thread go on with other fibers in its place; a
 * fiber that is seen to block twice is given a thread of its own beforehand. The
 * functions here say it in advance: others go on at once.
 */
#ifndef FIBER_BLOCK_H
#define FIBER_BLOCK_H

#include <fiber/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The calling fiber is going to block its thread. Until the matching
 * fiber_blocking_end() it runs on a thread that does not count as a worker. It
 * may call this library meanwhile, and may change thread when it waits there.
 * Pairs may be nested, 255 deep. If there can be no more threads
 * (fiber_config.spares) the fiber keeps its worker, as it would without. Does
 * nothing in a thread that runs no fiber.
 *
 * Some 50 ns each when nobody waits for the worker.
 */
FIBER_API void fiber_blocking_begin(void);

/*
 * The fiber has done so. It goes on where it is if a worker is idle, else it
 * waits for its turn. Without fiber_blocking_begin(): nothing.
 */
FIBER_API void fiber_blocking_end(void);

#ifdef __cplusplus
}
#endif

#endif /* FIBER_BLOCK_H */
