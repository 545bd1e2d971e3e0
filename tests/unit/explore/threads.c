// SPDX-License-Identifier: MIT
/*
 * The scheduler, in place of sched.c: every fiber has a worker to itself.
 *
 * MODEL. A fiber that parks leaves its stack, after which its worker says so in
 * the park word, as arrive() does, and has nothing else to run. Who makes it
 * ready hands it over with all that was stored before, as a queue would. Here
 * is also where it shows if a fiber is made ready twice, or while somebody is
 * still on its stack.
 *
 * Alarms are in the heaps of the first two workers, whichever comes.
 */
#include <errno.h>
#include <string.h>

#include <fiber/cancel.h>

#include "clock.h"
#include "core.h"
#include "env.h"
#include "extra.h"

#define HEAPS 2

struct fiber_rt _fiber_rt;

/* The worker is first, so that its here is found by fiber_worker_of(). */
static struct place {
	struct fiber_worker worker;
	struct fiber fiber;
	struct explore_thread *thread;
	bool left; /* nobody is on the fiber's stack */
	bool handed; /* it was made ready, and has not run since */
	at(uint32_t) ready; /* whoever runs it next may see that */
} places[THREADS_MAX + 1]; /* the last is the shape's own */

static struct fiber_worker *workers[THREADS_MAX + 1];
static bool has_heaps;

static struct place *place_of(struct fiber *f)
{
	return (struct place *)((char *)f - offsetof(struct place, fiber));
}

static struct place *init_place(unsigned int i, enum fiber_kind kind)
{
	struct place *p = &places[i];
	struct fiber *f = &p->fiber;

	memset(f, 0, sizeof(*f));
	at_store(&f->park, FIBER_PARK_GENERATION, RELAXED);
	at_store(&f->deadline, INT64_MAX, RELAXED);
	at_set(&f->kind, kind);
	f->index = i;
	p->worker.here = (struct fiber_here){
		.cur = f,
		.is_worker = kind == FIBER_KIND_FIBER,
		.is_bound = kind == FIBER_KIND_BOUND,
		.random = explorer.random | 1,
		.past = -1,
	};
	p->left = p->handed = false;
	at_store(&p->ready, 0, RELAXED);
	return p;
}

static void forget_run(void)
{
	unsigned int i;

	for (i = 0; i <= THREADS_MAX; i++) {
		_fiber_alarm_del(&places[i].fiber.alarm);
		_fiber_extra_free(&places[i].fiber);
	}
}

void explore_reset(void)
{
	unsigned int i;

	forget_run();
	for (i = 0; i <= THREADS_MAX; i++)
		workers[i] = &places[i].worker;
	for (i = 0; i < HEAPS; i++) {
		if (!has_heaps)
			CHECK(!_fiber_heap_init(&workers[i]->heap));
		EXPECT_EQ(workers[i]->heap.size, 0);
	}
	has_heaps = true;
	_fiber_rt.workers = workers;
	_fiber_rt.nr_workers = HEAPS;
	explore_env = (struct explore_env){ 0 };
	init_place(THREADS_MAX, FIBER_KIND_THREAD);
}

void explore_done(void)
{
	unsigned int i;

	forget_run();
	for (i = 0; i < HEAPS; i++)
		_fiber_heap_exit(&workers[i]->heap);
}

void explore_check_time(int64_t until)
{
	unsigned int i;

	for (i = 0; i < explorer.n; i++)
		explore_check_deadline(&places[i].fiber, until);
}

static struct fiber *add(const char *name, void (*fn)(void *), void *arg,
			 enum fiber_kind kind)
{
	struct place *p = init_place(explorer.n, kind);

	p->thread = explore_add(name, fn, arg);
	p->thread->here = &p->worker.here;
	return &p->fiber;
}

struct fiber *explore_add_fiber(const char *name, void (*fn)(void *), void *arg)
{
	return add(name, fn, arg, FIBER_KIND_FIBER);
}

struct fiber *explore_add_client(const char *name, void (*fn)(void *),
				 void *arg)
{
	return add(name, fn, arg, FIBER_KIND_THREAD);
}

struct fiber *explore_add_bound(const char *name, void (*fn)(void *), void *arg)
{
	return add(name, fn, arg, FIBER_KIND_BOUND);
}

/* This has no clock that would have to know. */
void _fiber_sched_bound_rests(void)
{
}

void _fiber_sched_bound_stirs(void)
{
}

struct fiber_here *_fiber_here(void)
{
	struct explore_thread *self = explorer.self;

	return self ? self->here : &places[THREADS_MAX].worker.here;
}

struct fiber_here *_fiber_here_slow(int *err)
{
	*err = -ENOMEM;
	return NULL;
}

void _fiber_sched_abandoned(void)
{
	explore_fail(__FILE__, __LINE__, "nothing is ever abandoned here");
}

void _fiber_sched_park(struct fiber_here *here)
{
	struct fiber *f = here->cur;
	struct place *p = place_of(f);

	p->left = true;
	if (fiber_park_left(f))
		_fiber_sched_ready(here, f);
	while (!at_load(&p->ready, ACQUIRE))
		explore_wait_other(&p->ready, "parked");
	p->left = p->handed = false;
	at_store(&p->ready, 0, RELAXED);
	explore_drain(&explorer.self->buffer);
}

int _fiber_park_queue(struct fiber_here *here, struct fiber_lock *lock,
		      struct fiber_waiter **queue, void *elem, int64_t deadline,
		      enum fiber_call call)
{
	return fiber_park_queue(here, lock, queue, elem, deadline, call);
}

/* A queue is a store that releases, as the weakest one that there is. */
int _fiber_sched_ready(struct fiber_here *here, struct fiber *f)
{
	struct place *p = place_of(f);

	(void)here;
	explore_point("making ready");
	EXPECT(p->left);
	EXPECT(!p->handed);
	p->handed = true;
	at_store(&p->ready, 1, RELEASE);
	explore_point("made ready");
	return 0;
}

void _fiber_sched_ready_all(struct fiber_here *here, struct fiber *first,
			    struct fiber *last, unsigned int n)
{
	struct fiber *f;

	last->next = NULL;
	while ((f = first)) {
		first = f->next;
		_fiber_sched_ready(here, f);
		n--;
	}
	EXPECT_EQ(n, 0);
}

void _fiber_sched_yield(struct fiber_here *here)
{
	(void)here;
	explore_yield();
}

bool _fiber_sched_seatless(struct fiber_here *here)
{
	(void)here;
	explore_fail(__FILE__, __LINE__, "there are no seats here");
	return false;
}

static struct fiber_heap *some_heap(void)
{
	return &workers[explore_choose(HEAPS)]->heap;
}

int _fiber_sched_deadline(struct fiber_here *here, struct fiber *f,
			  int64_t deadline)
{
	int err = _fiber_alarm_deadline(some_heap(), f, deadline);

	(void)here;
	return err < 0 ? err : 0;
}

int _fiber_sched_alarm(struct fiber_here *here, struct fiber_alarm *alarm,
		       int64_t at)
{
	int err = at == INT64_MAX ? 0 :
				    _fiber_alarm_add(some_heap(), alarm, at);

	(void)here;
	return err < 0 ? err : 0;
}

/*
 * Nobody else can run: it is the time of whatever comes next. In one step, since
 * another clock may run.
 */
static void skip_time(void)
{
	int64_t next = explore_next_time();
	unsigned int i;

	explore_drain_all();
	for (i = 0; i < HEAPS; i++) {
		int64_t t = workers[i]->heap.earliest.v;

		next = t < next ? t : next;
	}
	if (!explore_alone())
		return;
	explore_check_time(next);
	if (next == INT64_MAX)
		explore_stuck();
	else
		explore_set_now(next);
}

/* What is due may be run by two at once, as by a worker and a thief. */
static struct {
	struct fiber **victim;
	int why;
} canceller;

static void run_canceller(void *arg)
{
	int err;

	(void)arg;
	explore_yield();
	err = fiber_cancel(*canceller.victim, canceller.why);
	EXPECT(!err || err == -ESRCH);
}

void explore_add_canceller(struct fiber **victim, int why)
{
	canceller.victim = victim;
	canceller.why = why;
	explore_add_client("canceller", run_canceller, NULL);
}

static void run_alarms(void *arg)
{
	struct fiber_here *here = _fiber_here();
	bool nobody;

	(void)arg;
	while (explore_nap(&nobody)) {
		unsigned int first = explore_choose(HEAPS);
		unsigned int i;

		if (nobody)
			skip_time();
		else
			explore_set_now(explorer.now + explore_choose(12));
		for (i = 0; i < HEAPS; i++) {
			_fiber_heap_run(&workers[(first + i) % HEAPS]->heap,
					here, explorer.now);
			if (!nobody && explore_choose(2))
				break;
		}
	}
}

void explore_add_clock(void)
{
	struct place *p = init_place(explorer.n, FIBER_KIND_IDLE);

	p->worker.here.is_worker = true;
	p->thread = explore_add_daemon("clock", run_alarms, NULL);
	p->thread->here = &p->worker.here;
}
