// SPDX-License-Identifier: MIT
/*
 * Two lists, and moves between them.
 */
#include <fiber/run.h>

#include "deadlock.h"
#include "monitor.h"
#include "probe.h"
#include "queue.h"
#include "seat.h"

#define rt (&_fiber_rt)

/* idle_lock is held. */
static void push(struct fiber_worker *w, enum fiber_list list)
{
	bool idle = list == FIBER_LIST_IDLE;
	struct fiber_worker **first = idle ? &rt->idle_list : &rt->spare_list;

	w->list = list;
	w->list_next = *first;
	*first = w;
	at_add(idle ? &rt->idle : &rt->spares, 1);
}

/* idle_lock is held, and w is in a list. */
static void take_out(struct fiber_worker *w)
{
	bool idle = w->list == FIBER_LIST_IDLE;
	struct fiber_worker **at = idle ? &rt->idle_list : &rt->spare_list;

	while (*at != w)
		at = &(*at)->list_next;
	*at = w->list_next;
	w->list = FIBER_LIST_NONE;
	at_add(idle ? &rt->idle : &rt->spares, -1);
}

struct fiber_worker *_fiber_seat_pop_idle(void)
{
	struct fiber_worker *w;

	fiber_lock(&rt->idle_lock);
	w = rt->idle_list;
	if (w)
		take_out(w);
	fiber_unlock(&rt->idle_lock);
	return w;
}

void _fiber_seat_lie_down(struct fiber_worker *w)
{
	bool is_spare;

	fiber_lock(&rt->idle_lock);
	is_spare = fiber_is_spare(w);
	push(w, is_spare ? FIBER_LIST_SPARE : FIBER_LIST_IDLE);
	fiber_unlock(&rt->idle_lock);
	/* All who hold seats may sleep already. */
	if (is_spare)
		_fiber_deadlock_poke();
}

enum fiber_list _fiber_seat_get_up(struct fiber_worker *w)
{
	enum fiber_list list;

	fiber_lock(&rt->idle_lock);
	list = w->list;
	if (list != FIBER_LIST_NONE)
		take_out(w);
	fiber_unlock(&rt->idle_lock);
	return list;
}

/* idle_lock is held. */
static void set_seat(struct fiber_worker *w, bool has)
{
	if (has)
		at_and(&w->here.attention,
		       ~(FIBER_HERE_SPARE | FIBER_HERE_BLOCKED));
	else
		at_or(&w->here.attention, FIBER_HERE_SPARE);
	at_store(&w->here.is_direct, has && !(rt->flags & FIBER_TEST_MIGRATE),
		 RELAXED);
}

/* idle_lock is held: from one to the other, who stays asleep if it is. */
static void move(struct fiber_worker *from, struct fiber_worker *to,
		 uint32_t because)
{
	bool asleep = to->list != FIBER_LIST_NONE;

	if (asleep)
		take_out(to);
	set_seat(to, true);
	if (asleep)
		push(to, FIBER_LIST_IDLE);
	set_seat(from, false);
	at_or(&from->here.attention, because);
	at_add(&rt->replaced, 1);
}

static bool may_pass(const struct fiber_worker *w)
{
	return !fiber_is_spare(w) && w->list == FIBER_LIST_NONE;
}

/* To this one, if it has not been given another seat, or one that is asleep. */
static bool pass(struct fiber_worker *w, struct fiber_worker *to,
		 uint32_t because)
{
	bool done;

	fiber_lock(&rt->idle_lock);
	if (!to || !fiber_is_spare(to))
		to = rt->spare_list;
	done = to && may_pass(w);
	if (done)
		move(w, to, because);
	fiber_unlock(&rt->idle_lock);
	if (done)
		FIBER_PROBE2(replaced, w->number, to->number);
	return done;
}

/* The monitor makes threads: a fiber's stack may have no room for that. */
static void ask_for_spare(void)
{
	if (at_load(&rt->nr_made, RELAXED) >= rt->max_made)
		return;
	at_add(&rt->wanted, 1);
	at_store(&rt->monitor_wake, 1, RELEASE);
	_fiber_futex_wake(&rt->monitor_wake, 1);
}

bool _fiber_seat_pass(struct fiber_worker *w)
{
	if (pass(w, NULL, 0))
		return true;
	if (!fiber_is_spare(w))
		ask_for_spare();
	return false;
}

bool _fiber_seat_take(struct fiber_worker *w, uint32_t because)
{
	struct fiber_worker *made;

	if (pass(w, NULL, because))
		return true;
	if (fiber_is_spare(w) || at_load(&w->asleep, RELAXED))
		return false;
	made = _fiber_worker_make();
	return made && pass(w, made, because);
}

void _fiber_seat_stock(void)
{
	/* And a quarter of what is in use: 64 are there after some 15 times. */
	uint32_t n = at_xchg(&rt->wanted, 0) + fiber_workers_away() / 4;

	while (n-- && _fiber_worker_make())
		;
}

void _fiber_seat_regain(struct fiber_worker *w)
{
	struct fiber_worker *idle;

	if (!at_load(&rt->idle, RELAXED))
		return;
	fiber_lock(&rt->idle_lock);
	/* The monitor may have given it one just now, and a second is lost. */
	idle = fiber_is_spare(w) ? rt->idle_list : NULL;
	if (idle) {
		take_out(idle);
		set_seat(idle, false);
		push(idle, FIBER_LIST_SPARE);
		set_seat(w, true);
	}
	fiber_unlock(&rt->idle_lock);
	if (idle)
		_fiber_monitor_rouse();
}

/* For f: FIBER_TEST_MIGRATE: not the one that it left. */
static struct fiber_worker *pop_spare_for(const struct fiber *f)
{
	struct fiber_worker *w;

	fiber_lock(&rt->idle_lock);
	w = rt->spare_list;
	if (w && f->stack && rt->flags & FIBER_TEST_MIGRATE &&
	    w->number == f->worker)
		w = w->list_next;
	if (w)
		take_out(w);
	fiber_unlock(&rt->idle_lock);
	return w;
}

bool _fiber_seat_give(struct fiber *f)
{
	struct fiber_worker *to = pop_spare_for(f);

	if (!to) {
		ask_for_spare();
		return false;
	}
	_fiber_queue_inbox_push(to, f);
	_fiber_sched_token(to, FIBER_TOKEN_INBOX);
	return true;
}
