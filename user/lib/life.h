/* SPDX-License-Identifier: MIT */
/*
 * The life of a fiber: made, joined, ended.
 *
 * MODEL. A control block is in use while the fiber has not ended or somebody
 * has a reference to it. Both are under the fiber's lock; who takes back the
 * last gives the control block back. A fiber without references (detached) ends
 * without the lock.
 */
#ifndef FIBER_LIFE_H
#define FIBER_LIFE_H

#include <fiber/fiber.h>

#include "sched.h"

/* fiber->flags, beside those in park.h. */
#define FIBER_FLAG_VOID 4u /* fn returns nothing */

/*
 * The fiber has ended, and no longer uses its control block or its stack: wake
 * who joins, and give the control block back. By its worker, on its stack.
 */
void _fiber_life_end(struct fiber_worker *w, struct fiber *f, int result);
/* The same of a bound fiber, by its thread. */
void _fiber_life_end_bound(struct fiber_here *here, struct fiber *f,
			   int result);

/*
 * A fiber that does not run yet, with so many references, one of them its own:
 * 0 or -errno, as fiber_spawn(). It is for its maker to launch, or to give back.
 */
int _fiber_life_make(struct fiber **fiber, int (*fn)(void *), void *arg,
		     const struct fiber_attr *attr, uint32_t refs);
void _fiber_life_launch(struct fiber *f);
void _fiber_life_unmake(struct fiber *f);

/* Cancel all fibers. Returns how many have not ended. */
uint64_t _fiber_life_cancel_all(void);
/* How many fibers have not ended. */
uint64_t _fiber_life_count(void);

#endif /* FIBER_LIFE_H */
