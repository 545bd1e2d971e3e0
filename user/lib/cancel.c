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
#include "deadline.h"
#include "probe.h"

bool _fiber_cancel_deliver(struct fiber *f, uint32_t attention, int outcome)
{
	uint64_t won;

	attention |= at_load(&f->attention, RELAXED);
	/* Pairs with the loads that make a call fail: the reason is there. */
	at_store(&f->attention, attention, RELEASE);
	/* Pairs with the setting of PARKED in fiber_park_left(). */
	at_fence();
	won = _fiber_park_claim(f, _fiber_park_ticket(f));
	if (!won)
		return false;
	/* Under the lock, so that it does not end meanwhile. */
	f->fired = NULL;
	f->outcome = outcome;
	return _fiber_park_end(f, won);
}

int _fiber_cancel(struct fiber_here *here, struct fiber *f, int why)
{
	bool is_mine = false;
	int err = 0;

	FIBER_PROBE2(cancel, f, why);
	fiber_lock(&f->lock);
	if (!fiber_kind_is_fiber(at_load(&f->kind, RELAXED))) {
		err = -ESRCH;
	} else if (!at_load(&f->why, RELAXED)) {
		at_store(&f->why, why, RELAXED);
		if (!at_load(&f->masked, RELAXED))
			is_mine = _fiber_cancel_deliver(
				f, FIBER_ATTENTION_CANCEL, -ECANCELED);
	}
	fiber_unlock(&f->lock);
	if (is_mine)
		_fiber_sched_ready(here, f);
	return err;
}

int fiber_cancel(struct fiber *fiber, int why)
{
	struct fiber_here *here;
	int err;

	if (!fiber || why < 1)
		return -EINVAL;
	here = fiber_here_get(&err);
	if (!here)
		return err;
	return _fiber_cancel(here, fiber, why);
}

int fiber_cancelled(void)
{
	struct fiber_here *here = _fiber_here();

	return here && fiber_here_is_fiber(here) ?
		       at_load(&here->cur->why, RELAXED) :
		       0;
}

void _fiber_cancel_attend(struct fiber *f, uint32_t attention)
{
	uint64_t ticket = _fiber_park_ticket(f);

	at_store(&f->attention, attention, RELAXED);
	if (at_load(&f->park, RELAXED) & FIBER_PARK_CLAIMED)
		at_store(&f->park, ticket + FIBER_PARK_GENERATION, RELEASE);
}

int _fiber_cancel_mask(struct fiber *f, int on)
{
	uint32_t attention;
	int before;

	fiber_lock(&f->lock);
	before = at_load(&f->masked, RELAXED);
	at_store(&f->masked, !!on, RELAXED);
	attention = at_load(&f->why, RELAXED) && !on ? FIBER_ATTENTION_CANCEL :
						       0;
	_fiber_cancel_attend(f, attention | _fiber_deadline_masked(f));
	fiber_unlock(&f->lock);
	return before;
}

int fiber_cancel_mask(int on)
{
	struct fiber_here *here = _fiber_here();

	return here && fiber_here_is_fiber(here) ?
		       _fiber_cancel_mask(here->cur, on) :
		       0;
}
