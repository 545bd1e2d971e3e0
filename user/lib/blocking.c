// SPDX-License-Identifier: MIT
/*
 * Announced blocking.
 */
#include <fiber/block.h>

#include "sched.h"

void fiber_blocking_begin(void)
{
	struct fiber_here *here = _fiber_here();
	struct fiber *f;

	if (!here || !here->is_worker)
		return;
	f = here->cur;
	/* Deeper than can be counted: it is apart anyway, until the end. */
	if ((f->flags & FIBER_FLAG_DEPTH) == FIBER_FLAG_DEPTH)
		return;
	f->flags += FIBER_FLAG_DEPTH_ONE;
	if ((f->flags & FIBER_FLAG_DEPTH) == FIBER_FLAG_DEPTH_ONE)
		_fiber_sched_apart(here);
}

void fiber_blocking_end(void)
{
	struct fiber_here *here = _fiber_here();
	struct fiber *f;

	if (!here || !here->is_worker)
		return;
	f = here->cur;
	if (!(f->flags & FIBER_FLAG_DEPTH))
		return;
	f->flags -= FIBER_FLAG_DEPTH_ONE;
	if (!(f->flags & FIBER_FLAG_DEPTH) &&
	    at_load(&here->attention, RELAXED) & FIBER_HERE_SPARE)
		_fiber_sched_seatless(here);
}
