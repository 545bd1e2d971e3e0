// SPDX-License-Identifier: MIT
/*
 * Cancellation.
 *
 * MODEL. Under the fiber's lock the reason is written, then attention is set,
 * which fails its next call at the start, and its wait is claimed. If it was
 * about to wait, it finds its ticket used and does not; if the ticket was that of
 * the wait before, whoever leaves its stack sees attention (fiber_park_left()). If
 * it was not, the
 * claimed word stays until its next wait, which ends at once: that is what a
 * cancelled fiber's waits do anyway. Only masking makes it wait again; the mask
 * is set under the lock, and takes such a claim back, as a fiber that sets its
 * mask waits for nothing.
 */
#include <errno.h>

#include <fiber/cancel.h>

#include "cancel.h"

/* f->lock is held. What the caller is to end once it is not; or 0. */
static uint64_t deliver(struct fiber *f)
{
	/* Pairs with the loads that make a call fail: the reason is there. */
	at_store(&f->attention, FIBER_ATTENTION_CANCEL, RELEASE);
	/* Pairs with the setting of PARKED in fiber_park_left(). */
	at_fence();
	return _fiber_park_claim(f, _fiber_park_ticket(f));
}

int _fiber_cancel(struct fiber *f, int why)
{
	uint64_t won = 0;
	struct fiber_here *here;
	int err = 0;

	fiber_lock(&f->lock);
	if (at_load(&f->kind, RELAXED) != FIBER_KIND_FIBER) {
		err = -ESRCH;
	} else if (!at_load(&f->why, RELAXED)) {
		at_store(&f->why, why, RELAXED);
		if (!at_load(&f->masked, RELAXED))
			won = deliver(f);
	}
	if (won) {
		/* Still under the lock, so that it does not end meanwhile. */
		f->fired = NULL;
		f->outcome = -ECANCELED;
		if (!_fiber_park_end(f, won))
			won = 0;
	}
	fiber_unlock(&f->lock);
	if (won) {
		here = fiber_here_get(&err);
		_fiber_sched_ready(here, f);
	}
	return err;
}

int fiber_cancel(struct fiber *fiber, int why)
{
	int err;

	if (!fiber || why < 1)
		return -EINVAL;
	if (!fiber_here_get(&err))
		return err;
	return _fiber_cancel(fiber, why);
}

int fiber_cancelled(void)
{
	struct fiber_here *here = _fiber_here();

	return here && here->is_worker ? at_load(&here->cur->why, RELAXED) : 0;
}

int fiber_cancel_mask(int on)
{
	struct fiber_here *here = _fiber_here();
	struct fiber *f;
	uint64_t ticket;
	int before;

	if (!here || !here->is_worker)
		return 0;
	f = here->cur;
	fiber_lock(&f->lock);
	before = at_load(&f->masked, RELAXED);
	at_store(&f->masked, !!on, RELAXED);
	ticket = _fiber_park_ticket(f);
	at_store(&f->attention,
		 at_load(&f->why, RELAXED) && !on ? FIBER_ATTENTION_CANCEL : 0,
		 RELAXED);
	if (at_load(&f->park, RELAXED) & FIBER_PARK_CLAIMED)
		at_store(&f->park, ticket + FIBER_PARK_GENERATION, RELEASE);
	fiber_unlock(&f->lock);
	return before;
}
