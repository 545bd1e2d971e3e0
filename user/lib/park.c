// SPDX-License-Identifier: MIT
/*
 * Both ends of a wait.
 */
#include <errno.h>

#include "clock.h"
#include "park.h"

/* How often a thread looks before it sleeps in the kernel. */
#define THREAD_SPINS 100

/* The half of the park word that has the flags, on which threads sleep. */
static fiber_word *flags_of(struct fiber *f)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the flags are in the other half here"
#endif
	return (fiber_word *)&f->park;
}

/*
 * What the word was, with READY now set: not if another generation has begun, as
 * a detached fiber does not wait for who cancels it to be done.
 */
static uint64_t set_ready(struct fiber *f, uint64_t won)
{
	uint64_t seen = won;

	while (!((seen ^ won) & -FIBER_PARK_GENERATION)) {
		if (at_cas(&f->park, &seen, seen | FIBER_PARK_READY))
			return seen;
	}
	return 0;
}

__attribute__((noinline)) bool _fiber_park_end_slow(struct fiber *f,
						    uint64_t won)
{
	enum fiber_kind kind = at_load(&f->kind, RELAXED);
	uint64_t seen;

	if (kind == FIBER_KIND_CALL) {
		f->fn(f->arg);
		return false;
	}
	/* Pairs with the setting of PARKED, by the thread or fiber_park_left(). */
	seen = set_ready(f, won);
	if (!(seen & FIBER_PARK_PARKED))
		return false;
	if (kind == FIBER_KIND_FIBER)
		return true;
	if (kind == FIBER_KIND_BOUND && _fiber_clock_is_virtual())
		_fiber_sched_bound_stirs();
	/* The thread may be gone by now. Control blocks do not go. */
	FIBER_PROBE1(ready, f);
	_fiber_futex_wake(flags_of(f), 1);
	return false;
}

/* Why f is not to wait, or 0. */
static int refusal(const struct fiber *f)
{
	/* Pairs with the store in _fiber_cancel_deliver(). */
	uint32_t seen = at_load(&f->attention, ACQUIRE);

	if (seen & FIBER_ATTENTION_CANCEL)
		return -ECANCELED;
	return seen & FIBER_ATTENTION_EXPIRED ? -ETIMEDOUT : 0;
}

__attribute__((noinline, cold)) bool _fiber_park_left_cancelled(struct fiber *f,
								uint64_t ticket)
{
	int err = refusal(f);

	if (!err || !_fiber_park_claim(f, ticket))
		return false;
	f->fired = NULL;
	f->outcome = err;
	return true;
}

/* A thread that is no worker has a deadline of the kernel's. */
static void thread_timed_out(struct fiber_here *here, struct fiber *f,
			     uint64_t ticket)
{
	uint64_t won = _fiber_park_claim(f, ticket);

	if (won)
		fiber_park_wake(here, f, won, NULL, -ETIMEDOUT);
}

/*
 * About to sleep: whether it need not, as a bound fiber was cancelled when its
 * ticket was that of the wait before (fiber_park_left()).
 */
static bool thread_parks(struct fiber_here *here, struct fiber *f,
			 uint64_t ticket)
{
	uint64_t seen = at_or(&f->park, FIBER_PARK_PARKED);

	if (!here->is_bound || seen & FIBER_PARK_READY)
		return false;
	at_fence_after();
	if (unlikely(at_load(&f->attention, RELAXED)) &&
	    _fiber_park_left_cancelled(f, ticket))
		return true;
	if (_fiber_clock_is_virtual())
		_fiber_sched_bound_rests();
	return false;
}

static void thread_park(struct fiber_here *here, struct fiber *f,
			uint64_t ticket, int64_t deadline)
{
	bool forever = at_own(&f->deadline) == INT64_MAX;
	uint64_t word;
	int i;

	for (i = 0; i < THREAD_SPINS; i++) {
		if (at_load(&f->park, ACQUIRE) & FIBER_PARK_READY)
			return;
		at_pause();
	}
	if (thread_parks(here, f, ticket))
		return;
	if (forever)
		_fiber_deadlock_thread(1);
	while (!((word = at_load(&f->park, ACQUIRE)) & FIBER_PARK_READY)) {
		if (unlikely(word & FIBER_PARK_GONE))
			_fiber_sched_abandoned();
		if (_fiber_futex_wait(flags_of(f), (uint32_t)word, deadline)) {
			thread_timed_out(here, f, ticket);
			deadline = INT64_MAX;
		}
	}
	if (forever)
		_fiber_deadlock_thread(-1);
}

void _fiber_park_abandon(struct fiber *f)
{
	at_or(&f->park, FIBER_PARK_GONE);
	_fiber_futex_wake(flags_of(f), 1);
}

bool _fiber_park_past_slow(struct fiber_here *here, int64_t deadline)
{
	int64_t now = _fiber_clock_now();

	here->past = now;
	return deadline <= now;
}

/* There is no memory for the deadline: end the wait, if nobody did yet. */
static void give_up(struct fiber_here *here, struct fiber *f, uint64_t ticket)
{
	uint64_t won = _fiber_park_claim(f, ticket);

	if (won)
		fiber_park_wake(here, f, won, NULL, -ENOMEM);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int _fiber_park_wait(struct fiber_here *here, struct fiber *f, int64_t deadline,
		     struct fiber_waiter **fired)
{
	bool is_fiber = at_own(&f->kind) == FIBER_KIND_FIBER;
	uint64_t ticket = _fiber_park_ticket(f);
	bool has_alarm;

	if (unlikely(fiber_held_on()))
		_fiber_held_check(f);
	if (!is_fiber)
		deadline = earlier(deadline, _fiber_deadline_of(f));
	has_alarm = deadline != INT64_MAX &&
		    (is_fiber || _fiber_clock_is_virtual());
	if (has_alarm && _fiber_sched_deadline(here, f, deadline) < 0)
		give_up(here, f, ticket);
	/* So that who looks knows of it; an alarm of an earlier wait may use it. */
	if (!has_alarm && deadline != INT64_MAX)
		at_store(&f->deadline, deadline, RELEASE);
	if (is_fiber)
		_fiber_sched_park(here);
	else
		thread_park(here, f, ticket, has_alarm ? INT64_MAX : deadline);
	if (deadline != INT64_MAX)
		at_store(&f->deadline, INT64_MAX, RELAXED);
	return fiber_park_over(f, ticket, fired);
}

__attribute__((noinline)) int _fiber_checkpoint_slow(struct fiber_here *here)
{
	uint32_t seen = at_load(&here->attention, RELAXED);

	if (seen & FIBER_HERE_ABANDONED)
		_fiber_sched_abandoned();
	if (seen & FIBER_HERE_SPARE) {
		_fiber_sched_seatless(here);
		here = _fiber_here();
	} else if (seen & FIBER_HERE_SLICE) {
		at_and(&here->attention, ~FIBER_HERE_SLICE);
		_fiber_sched_yield(here);
		here = _fiber_here();
	}
	/* Pairs with the store in _fiber_cancel_deliver(). */
	seen = at_load(&here->cur->attention, ACQUIRE);
	if (seen & FIBER_ATTENTION_CANCEL)
		return -ECANCELED;
	/* Past it what need not wait is done. */
	return seen & FIBER_ATTENTION_DEADLINE ? _fiber_deadline_arm(here) : 0;
}

struct fiber_here *_fiber_enter(int *err)
{
	struct fiber_here *here = fiber_here_get(err);

	if (!here)
		return NULL;
	*err = fiber_checkpoint(here);
	return *err ? NULL : _fiber_here();
}

struct fiber_here *_fiber_enter_try(int *err)
{
	struct fiber_here *here = fiber_here_get(err);

	if (!here || !fiber_attention(here))
		return here;
	(void)_fiber_checkpoint_slow(here);
	return _fiber_here();
}
