// SPDX-License-Identifier: MIT
/*
 * What a fiber does to itself.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fiber/fiber.h>

#include "bound.h"
#include "extra.h"
#include "sched.h"
#include "stack.h"

struct fiber *fiber_self(void)
{
	struct fiber_here *here = _fiber_here();

	return here && fiber_here_is_fiber(here) ? here->cur : NULL;
}

static __attribute__((noinline)) void yield_slow(struct fiber_here *here)
{
	uint32_t seen;

	if (!here || !here->is_worker) {
		sched_yield();
		return;
	}
	seen = at_load(&here->attention, RELAXED);
	if (seen & FIBER_HERE_ABANDONED)
		_fiber_sched_abandoned();
	at_and(&here->attention, ~FIBER_HERE_SLICE);
	if (seen & FIBER_HERE_SPARE && _fiber_sched_seatless(here))
		return;
	_fiber_sched_yield(_fiber_here());
}

void fiber_yield(void)
{
	struct fiber_here *here = _fiber_here();

	if (unlikely(!here || !here->is_worker ||
		     at_load(&here->attention, RELAXED)))
		yield_slow(here);
	else
		_fiber_sched_yield(here);
}

void fiber_exit(int result)
{
	struct fiber *f = fiber_self();
	struct fiber_cleanup *cleanup;

	if (!f) {
		fprintf(stderr, "fiber: fiber_exit() by a thread that runs no "
				"fiber\n");
		abort();
	}
	while (f->extra && (cleanup = f->extra->cleanup)) {
		f->extra->cleanup = cleanup->next;
		cleanup->fn(cleanup->arg);
	}
	if (_fiber_here()->is_bound)
		_fiber_bound_exit(_fiber_here(), result);
	if (f->extra)
		_fiber_extra_end(f);
	_fiber_sched_exit(_fiber_here(), result);
}

void fiber_pin(void)
{
	struct fiber *f = fiber_self();

	if (f)
		f->pins++;
}

void fiber_unpin(void)
{
	struct fiber *f = fiber_self();

	if (f && f->pins)
		f->pins--;
}

int fiber_name_set(const char *name)
{
	struct fiber *f = fiber_self();
	struct fiber_extra *extra;

	if (!name)
		return -EINVAL;
	if (!f)
		return -EPERM;
	extra = _fiber_extra_get(f);
	if (!extra)
		return -ENOMEM;
	fiber_lock(&f->lock);
	_fiber_extra_set_name(extra, name);
	fiber_unlock(&f->lock);
	if (!_fiber_here()->is_bound)
		f->stack->name = extra->name;
	return 0;
}

int fiber_name_get(const struct fiber *fiber, char *buf, size_t size)
{
	struct fiber_lock *lock;
	const char *name;

	if (!fiber || !buf || !size)
		return -EINVAL;
	/* The lock is not part of what is constant. */
	lock = (struct fiber_lock *)&fiber->lock;
	fiber_lock(lock);
	name = fiber_extra_name(fiber);
	snprintf(buf, size, "%s", name ? name : "");
	fiber_unlock(lock);
	return 0;
}
