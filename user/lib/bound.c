// SPDX-License-Identifier: MIT
/*
 * Threads that run one fiber.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "bound.h"
#include "clock.h"
#include "extra.h"
#include "here.h"
#include "life.h"
#include "probe.h"
#include "thread.h"

#define rt (&_fiber_rt)

#define NO_WORKER UINT32_MAX /* as a tool sees it */

enum {
	WAIT,
	RUN,
	END,
};

struct fiber_bound {
	struct fiber_here here; /* first: the thread-local pointer is to it */
	fiber_word told; /* what to do */
	int result;
	jmp_buf end; /* where fiber_exit() goes */
	bool is_over; /* lock: the control block is going to be another's */
	fiber_word *count; /* lock: abandoned, and counted there; or NULL */
	struct fiber_bound *next; /* lock */
	struct fiber_bound **at; /* lock: what points to it */
};

static struct fiber_lock lock;
static struct fiber_bound *all; /* lock */
/* How many threads use anything, but for those that are abandoned. */
static fiber_word live;

static void link_in(struct fiber_bound *b)
{
	at_add(&live, 1);
	fiber_lock(&lock);
	b->next = all;
	b->at = &all;
	if (all)
		all->at = &b->next;
	all = b;
	fiber_unlock(&lock);
}

/* The last that is done for it. */
static void end(struct fiber_bound *b)
{
	fiber_word *count;

	fiber_lock(&lock);
	*b->at = b->next;
	if (b->next)
		b->next->at = b->at;
	count = b->count;
	fiber_unlock(&lock);
	free(b);
	at_add(count ? count : &live, -1);
	_fiber_futex_wake(&live, 1);
}

/* Unless it is abandoned: from here on it is nobody's to abandon. */
static void be_over(struct fiber_bound *b)
{
	bool may;

	fiber_lock(&lock);
	may = !b->count;
	b->is_over = may;
	fiber_unlock(&lock);
	if (!may)
		_fiber_sched_abandoned();
}

static void set_name(const struct fiber *f)
{
	const char *name = fiber_extra_name(f);

	prctl(PR_SET_NAME, name ? name : "fiber/bound");
	/* Sleeps end when they should, and not up to 50 us later. */
	prctl(PR_SET_TIMERSLACK, 1);
}

/* The fiber's life, on its thread. */
static void live_on(struct fiber_bound *b)
{
	struct fiber *f = b->here.cur;

	set_name(f);
	/* As workers do (worker.c). */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	_fiber_here_tls = &b->here;
	_fiber_here_hold(&b->here);
	FIBER_PROBE2(start, f, NO_WORKER);
	if (!_setjmp(b->end))
		b->result = f->fn(f->arg);
	/* A child of fork() has returned from the fiber that forked. */
	if (_fiber_here() != &b->here)
		exit(b->result);
	if (f->extra)
		_fiber_extra_end(f);
	FIBER_PROBE2(end, f, b->result);
	be_over(b);
	_fiber_here_release();
	_fiber_life_end_bound(&b->here, f, b->result);
	/* f may be another fiber from here on. */
	_fiber_here_tls = NULL;
	if (_fiber_clock_is_virtual())
		_fiber_sched_bound_rests();
}

static void *run(void *arg)
{
	struct fiber_bound *b = arg;
	uint32_t told;

	while ((told = at_load(&b->told, ACQUIRE)) == WAIT)
		_fiber_futex_wait(&b->told, WAIT, INT64_MAX);
	if (told == RUN)
		live_on(b);
	end(b);
	return NULL;
}

int _fiber_bound_make(struct fiber *f, size_t stack_size)
{
	struct fiber_bound *b = calloc(1, sizeof(*b));
	struct fiber_why why;
	pthread_t thread;
	int err;

	if (!b)
		return -ENOMEM;
	b->here.cur = f;
	b->here.is_bound = true;
	b->here.random = (_fiber_clock_real() + f->index) | 1;
	link_in(b);
	err = _fiber_thread_start(&thread, run, b, stack_size, &why);
	if (err) {
		_fiber_rt_failed(&why);
		end(b);
		return err;
	}
	pthread_detach(thread);
	f->bound = b;
	at_set(&f->kind, FIBER_KIND_BOUND);
	return 0;
}

static void tell(struct fiber_bound *b, uint32_t what)
{
	at_store(&b->told, what, RELEASE);
	/* It may have ended, and be gone: then nobody is woken for nothing. */
	_fiber_futex_wake(&b->told, 1);
}

void _fiber_bound_launch(struct fiber *f)
{
	FIBER_PROBE2(spawn, f, f->fn);
	at_add(&rt->bound_awake, 1);
	tell(f->bound, RUN);
}

void _fiber_bound_unmake(struct fiber *f)
{
	tell(f->bound, END);
}

void _fiber_bound_exit(struct fiber_here *here, int result)
{
	struct fiber_bound *b = (struct fiber_bound *)here;

	b->result = result;
	_longjmp(b->end, 1);
}

void _fiber_sched_bound_rests(void)
{
	if (at_add(&rt->bound_awake, -1) == 1)
		_fiber_sched_kick(rt->workers[0]);
}

void _fiber_sched_bound_stirs(void)
{
	at_add(&rt->bound_awake, 1);
}

uint32_t _fiber_bound_count(void)
{
	return at_load(&live, RELAXED);
}

void _fiber_bound_await(void)
{
	uint32_t n;

	while ((n = at_load(&live, ACQUIRE)))
		_fiber_futex_wait(&live, n, INT64_MAX);
}

void _fiber_bound_abandon(fiber_word *count)
{
	struct fiber_bound *b;

	fiber_lock(&lock);
	for (b = all; b; b = b->next) {
		at_add(count, 1);
		at_add(&live, -1);
		b->count = count;
		at_or(&b->here.attention, FIBER_HERE_ABANDONED);
		/* If it waits it is to find out, too. */
		if (!b->is_over)
			_fiber_park_abandon(b->here.cur);
	}
	fiber_unlock(&lock);
}

void _fiber_bound_forget(void)
{
	memset(&lock, 0, sizeof(lock));
	all = NULL;
	at_store(&live, 0, RELAXED);
}
