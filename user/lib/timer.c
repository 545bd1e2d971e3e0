// SPDX-License-Identifier: MIT
/*
 * Sleeping, and timers with channels.
 */
#include <errno.h>
#include <stdlib.h>

#include <fiber/chan.h>
#include <fiber/time.h>

#include "chan.h"
#include "clock.h"
#include "park.h"

struct fiber_timer {
	struct fiber_timer_alarm alarm; /* first */
	struct fiber_chan *chan;
	at(uint32_t)
		firing; /* how often it is to be sent; who makes it 1 sends */
	int64_t sent; /* of who sends: the latest time that was */
};

/* How it ended. What ended it may have been the deadline of all that f does. */
static int slept(const struct fiber *f, int64_t t, int err)
{
	if (err != -ETIMEDOUT)
		return err;
	if (likely(at_own(&f->kind) == FIBER_KIND_FIBER &&
		   !at_load(&f->attention, RELAXED)))
		return 0;
	return t <= _fiber_clock_now() ? 0 : -ETIMEDOUT;
}

int fiber_sleep_until(int64_t t)
{
	struct fiber_waiter *nobody;
	struct fiber_waiter w;
	struct fiber_here *here;
	struct fiber *f;
	int err;

	here = _fiber_enter(&err);
	if (!here)
		return err;
	if (t != INT64_MAX && t <= _fiber_clock_now())
		return 0;
	f = here->cur;
	w.fiber = f;
	w.ticket = _fiber_park_ticket(f);
	fiber_wait_note(f, &w, FIBER_CALL_SLEEP, NULL, 1);
	err = fiber_park_wait(here, f, t, &nobody);
	return slept(f, t, err);
}

int fiber_sleep(int64_t ns)
{
	return fiber_sleep_until(fiber_after(ns));
}

/* Takes back one reference. */
static void put(struct fiber_timer *timer)
{
	if (at_add(&timer->alarm.refs, -1) != 1)
		return;
	fiber_chan_put(timer->chan);
	free(timer);
}

static void send_time(struct fiber_timer *timer, struct fiber_here *here,
		      int64_t now)
{
	if (timer->sent < now)
		timer->sent = now;
	/* If it is full, an earlier one is in it, unread. */
	(void)_fiber_chan_offer(here, timer->chan, &timer->sent);
}

/*
 * Two threads may have come upon two times of one timer, and the later one's be
 * faster. One sends, for the other as well, so that times never go back and none
 * is left out.
 */
static void fire(struct fiber_timer_alarm *alarm, struct fiber_here *here,
		 int64_t now)
{
	struct fiber_timer *timer = (struct fiber_timer *)alarm;

	if (at_add(&timer->firing, 1) == 0) {
		send_time(timer, here, now);
		/* Those of who came meanwhile: not before they came. */
		while (at_add(&timer->firing, -1) > 1)
			send_time(timer, here, _fiber_clock_now());
	}
	put(timer);
}

static int set(struct fiber_timer *timer, int64_t at, int64_t every)
{
	struct fiber_here *here;
	int err;

	here = fiber_here_get(&err);
	if (!here)
		return err;
	at_store(&timer->alarm.every, every, RELAXED);
	return _fiber_sched_alarm(here, &timer->alarm.alarm, at);
}

int fiber_timer_new(struct fiber_timer **timer, int64_t at, int64_t every)
{
	struct fiber_timer *t;
	int err;

	if (!timer || every < 0)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	err = fiber_chan_new(&t->chan, sizeof(int64_t), 1, NULL);
	if (err)
		goto err_free;
	t->alarm.alarm.is_timer = 1;
	t->alarm.fire = fire;
	at_store(&t->alarm.refs, 1, RELAXED);
	t->sent = INT64_MIN;
	err = set(t, at, every);
	if (err)
		goto err_put;
	*timer = t;
	return 0;

err_put:
	fiber_chan_put(t->chan);
err_free:
	free(t);
	return err;
}

int fiber_timer_set(struct fiber_timer *timer, int64_t at, int64_t every)
{
	bool was_set;
	int err;

	if (!timer || every < 0)
		return -EINVAL;
	was_set = _fiber_alarm_del(&timer->alarm.alarm);
	err = set(timer, at, every);
	return err ? err : was_set;
}

struct fiber_chan *fiber_timer_chan(struct fiber_timer *timer)
{
	return timer ? timer->chan : NULL;
}

void fiber_timer_free(struct fiber_timer *timer)
{
	if (!timer)
		return;
	_fiber_alarm_del(&timer->alarm.alarm);
	put(timer);
}
