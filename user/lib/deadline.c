// SPDX-License-Identifier: MIT
/*
 * Deadlines of all that a fiber does.
 */
#include <errno.h>

#include <fiber/deadline.h>

#include "cancel.h"
#include "clock.h"
#include "deadline.h"
#include "extra.h"
#include "slab.h"

static struct fiber_slab_cache ambients;

static struct fiber_ambient *ambient_of(const struct fiber *f)
{
	return f->extra ? f->extra->ambient : NULL;
}

static uint32_t is_masked(const struct fiber *f)
{
	return at_load(&f->masked, RELAXED);
}

static void put(struct fiber_ambient *a)
{
	if (at_add(&a->alarm.refs, -1) == 1)
		_fiber_slab_put(&ambients, a);
}

/* It may have another one by now, or none, or have ended. */
static void fire(struct fiber_timer_alarm *alarm, struct fiber_here *here,
		 int64_t now)
{
	struct fiber_ambient *a = (struct fiber_ambient *)alarm;
	struct fiber *f = a->fiber;
	bool is_mine = false;

	fiber_lock(&f->lock);
	if (a->of[is_masked(f)] <= now)
		is_mine = _fiber_cancel_deliver(f, FIBER_ATTENTION_EXPIRED,
						-ETIMEDOUT);
	fiber_unlock(&f->lock);
	if (is_mine)
		_fiber_sched_ready(here, f);
	put(a);
}

/* That of the scope that it is in. */
static int64_t inherited(struct fiber *f)
{
	int64_t deadline = INT64_MAX;

	fiber_lock(&f->lock);
	if (f->joiners &&
	    at_load(&f->joiners->fiber->kind, RELAXED) == FIBER_KIND_CALL)
		deadline = at_load(&f->joiners->fiber->deadline, RELAXED);
	fiber_unlock(&f->lock);
	return deadline;
}

int64_t _fiber_deadline_of(struct fiber *f)
{
	const struct fiber_ambient *a = ambient_of(f);

	if (a)
		return a->of[is_masked(f)];
	return is_masked(f) ? INT64_MAX : inherited(f);
}

/* Whether there is one that nobody else looks after. */
static bool needs_alarm(const struct fiber *f, const struct fiber_ambient *a)
{
	return at_load(&f->kind, RELAXED) == FIBER_KIND_FIBER &&
	       a->of[is_masked(f)] < (is_masked(f) ? INT64_MAX : a->base);
}

static uint32_t attention_for(const struct fiber *f,
			      const struct fiber_ambient *a)
{
	return needs_alarm(f, a) ? FIBER_ATTENTION_DEADLINE : 0;
}

uint32_t _fiber_deadline_masked(struct fiber *f)
{
	struct fiber_ambient *a = ambient_of(f);

	if (!a)
		return 0;
	if (!is_masked(f))
		a->of[1] = INT64_MAX;
	return attention_for(f, a);
}

int _fiber_deadline_arm(struct fiber_here *here)
{
	struct fiber *f = here->cur;
	struct fiber_ambient *a = ambient_of(f);
	int64_t deadline = a->of[is_masked(f)];
	uint32_t attention = 0;
	int err = 0;

	_fiber_alarm_del(&a->alarm.alarm);
	if (deadline <= _fiber_clock_now())
		attention = FIBER_ATTENTION_EXPIRED;
	else
		err = _fiber_sched_alarm(here, &a->alarm.alarm, deadline);
	if (err)
		return err;
	fiber_lock(&f->lock);
	attention |= at_load(&f->attention, RELAXED);
	at_store(&f->attention, attention & ~FIBER_ATTENTION_DEADLINE, RELAXED);
	fiber_unlock(&f->lock);
	return 0;
}

/* f->lock is held, by f: what has passed no longer has. */
static void attend(struct fiber *f, struct fiber_ambient *a)
{
	uint32_t cancelled = at_load(&f->attention, RELAXED) &
			     FIBER_ATTENTION_CANCEL;

	_fiber_cancel_attend(f, cancelled | attention_for(f, a));
}

static void set(struct fiber *f, struct fiber_ambient *a, int64_t t)
{
	fiber_lock(&f->lock);
	a->of[is_masked(f)] = t;
	attend(f, a);
	fiber_unlock(&f->lock);
	if (!needs_alarm(f, a))
		_fiber_alarm_del(&a->alarm.alarm);
}

void _fiber_deadline_end(struct fiber *f)
{
	struct fiber_ambient *a = ambient_of(f);

	if (!a)
		return;
	fiber_lock(&f->lock);
	/* Of both: whoever is in this memory next will have another mask. */
	a->of[0] = a->of[1] = a->base = INT64_MAX;
	attend(f, a);
	fiber_unlock(&f->lock);
	_fiber_alarm_del(&a->alarm.alarm);
	f->extra->ambient = NULL;
	put(a);
}

static struct fiber_ambient *make(struct fiber *f)
{
	struct fiber_extra *extra = _fiber_extra_get(f);
	struct fiber_ambient *a;

	if (!extra)
		return NULL;
	a = _fiber_slab_get(&ambients, sizeof(*a));
	if (!a)
		return NULL;
	a->alarm.alarm.is_timer = 1;
	a->alarm.fire = fire;
	at_store(&a->alarm.refs, 1, RELAXED);
	a->fiber = f;
	a->base = a->of[0] = inherited(f);
	a->of[1] = INT64_MAX;
	extra->ambient = a;
	return a;
}

int64_t fiber_deadline(void)
{
	struct fiber_here *here = _fiber_here();

	return here ? _fiber_deadline_of(here->cur) : INT64_MAX;
}

int64_t fiber_deadline_push(int64_t t)
{
	struct fiber_ambient *a;
	struct fiber_here *here;
	struct fiber *f;
	int64_t before;
	int err;

	here = fiber_here_get(&err);
	if (!here)
		return err;
	f = here->cur;
	before = _fiber_deadline_of(f);
	if (t >= before)
		return before;
	a = ambient_of(f);
	if (!a)
		a = make(f);
	if (!a)
		return -ENOMEM;
	/* Below 0 are errors; all of it is past. */
	set(f, a, t < 0 ? 0 : t);
	return before;
}

void fiber_deadline_pop(int64_t before)
{
	struct fiber_here *here = _fiber_here();
	struct fiber_ambient *a = here ? ambient_of(here->cur) : NULL;

	/* It has none of its own, or an error is popped. */
	if (!a || before < 0)
		return;
	if (!is_masked(here->cur) && before > a->base)
		before = a->base;
	set(here->cur, a, before);
}
