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

#include "sched.h"

/* fiber->flags, beside those in park.h. */
#define FIBER_FLAG_VOID 4u /* fn returns nothing */

/*
 * The fiber has ended, and no longer uses its control block or its stack: wake
 * who joins, and give the control block back. By its worker, on its stack.
 */
void _fiber_life_end(struct fiber_worker *w, struct fiber *f, int result);

/* Cancel all fibers. Returns how many have not ended. */
uint64_t _fiber_life_cancel_all(void);
/* How many fibers have not ended. */
uint64_t _fiber_life_count(void);
/* Name those that have not ended on standard error. */
void _fiber_life_report(void);

#endif /* FIBER_LIFE_H */
