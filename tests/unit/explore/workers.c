// SPDX-License-Identifier: MIT
/*
 * Workers, with the library's own scheduler: what worker.c and stack.c are
 * otherwise.
 *
 * MODEL. A worker is a test thread in _fiber_sched_loop(), and fibers are
 * switched by it as they are everywhere: the explorer may take a worker off in
 * the middle of a fiber, and whoever comes next finds all as it was left.
 *
 * Stacks come one at a time, and there may be few of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blocked.h"
#include "bound.h"
#include "control.h"
#include "core.h"
#include "monitor.h"
#include "seat.h"
#include "stacks.h"
#include "workers.h"

#define rt (&_fiber_rt)
#define WORKERS_MAX 4 /* spares among them */
#define STACKS_MAX 16
/* Control blocks that are ever used: the first. */
#define FIBERS_MAX 64
#define STACK_BODY (64 * 1024)

static struct fiber_worker *workers[WORKERS_MAX];
static struct fiber_exceptions exceptions[WORKERS_MAX];
static struct fiber monitor_self = { .kind = { FIBER_KIND_IDLE } };

/* Threads that are no workers, and the shape itself, which is the last. */
static struct client {
	struct fiber_here here;
	struct fiber fiber;
} clients[THREADS_MAX + 1];

static struct fiber_stack stacks[STACKS_MAX];
static struct fiber_stack *free_stacks[STACKS_MAX];
static unsigned int nr_stacks;
static unsigned int stacks_max;

/* So that all that may be used can be looked at. */
static void map_controls(void)
{
	struct fiber *f;

	CHECK(_fiber_control_get(&f, 1) == 1);
	_fiber_control_put(f, f);
}

static void init_client(unsigned int i)
{
	struct client *c = &clients[i];

	memset(c, 0, sizeof(*c));
	at_store(&c->fiber.park, FIBER_PARK_GENERATION, RELAXED);
	at_store(&c->fiber.deadline, INT64_MAX, RELAXED);
	at_set(&c->fiber.kind, FIBER_KIND_THREAD);
	c->here.cur = &c->fiber;
	c->here.random = explorer.random | 1;
	c->here.past = -1;
}

/* Fibers that have ended may have left an alarm. */
static void empty_heap(struct fiber_heap *heap)
{
	while (heap->size)
		_fiber_alarm_del(heap->chunk[0][0].alarm);
}

static void reset_worker(unsigned int i)
{
	struct fiber_worker *w = workers[i];
	struct fiber_heap heap;
	struct fiber *f;

	if (!w) {
		w = workers[i] = aligned_alloc(64, sizeof(*w));
		CHECK(w);
		memset(w, 0, sizeof(*w));
		CHECK(!_fiber_heap_init(&w->heap));
	}
	while ((f = w->free)) {
		w->free = f->next;
		_fiber_control_put(f, f);
	}
	heap = w->heap;
	memset(w, 0, sizeof(*w));
	w->heap = heap;
	w->here.is_worker = true;
	at_store(&w->here.is_direct, true, RELAXED);
	w->here.cur = &w->idle;
	w->here.past = -1;
	w->number = i;
	w->here.random = (explorer.random + i) | 1;
	w->spin_rounds = 4;
	at_set(&w->idle.kind, FIBER_KIND_IDLE);
	w->exceptions = &exceptions[i];
}

static void reset_stacks(void)
{
	for (nr_stacks = 0; nr_stacks < STACKS_MAX; nr_stacks++) {
		struct fiber_stack *s = &stacks[nr_stacks];

		if (!s->low) {
			s->low = malloc(STACK_BODY);
			CHECK(s->low);
			s->top = s->low + STACK_BODY;
		}
		_fiber_sanitize_wipe(s->low, STACK_BODY);
		free_stacks[nr_stacks] = s;
	}
	stacks_max = STACKS_MAX;
}

static void empty_heaps(void)
{
	unsigned int i;

	for (i = 0; i < WORKERS_MAX; i++) {
		if (workers[i])
			empty_heap(&workers[i]->heap);
	}
}

void explore_reset(void)
{
	unsigned int i;

	map_controls();
	empty_heaps();
	for (i = 0; i < WORKERS_MAX; i++)
		reset_worker(i);
	reset_stacks();
	memset(rt, 0, sizeof(*rt));
	rt->workers = workers;
	rt->arena.size = STACK_BODY;
	rt->monitor_here.cur = &monitor_self;
	at_store(&rt->state, FIBER_RT_RUNNING, RELAXED);
	explore_env = (struct explore_env){ 0 };
	init_client(THREADS_MAX);
}

void explore_done(void)
{
	unsigned int i;

	empty_heaps();
	for (i = 0; i < WORKERS_MAX; i++)
		_fiber_heap_exit(&workers[i]->heap);
}

/* As the shape, not as a thread of it: this is no step of anybody's. */
void explore_check_time(int64_t until)
{
	struct explore_thread *self = explorer.self;
	unsigned int i;

	explorer.self = NULL;
	for (i = 0; i < FIBERS_MAX; i++)
		explore_check_deadline(_fiber_control_at(i), until);
	for (i = 0; i < explorer.n; i++)
		explore_check_deadline(&clients[i].fiber, until);
	explorer.self = self;
}

static void run_worker(void *arg)
{
	_fiber_sched_loop(arg);
}

/* Not there before the monitor makes it. */
static void run_worker_when_made(void *arg)
{
	const struct fiber_worker *w = arg;

	while (fiber_workers_made() <= w->number) {
		if (at_load(&rt->quit, RELAXED))
			return;
		explore_yield();
	}
	_fiber_sched_loop(arg);
}

static void add_workers(unsigned int first, unsigned int n, void (*run)(void *))
{
	static const char *const names[] = { "worker 0", "worker 1", "worker 2",
					     "worker 3" };
	unsigned int i;

	for (i = first; i < first + n; i++) {
		struct explore_thread *t =
			explore_add(names[i], run, workers[i]);

		at_store(&workers[i]->here.is_direct,
			 !(rt->flags & FIBER_TEST_MIGRATE), RELAXED);
		t->here = &workers[i]->here;
	}
}

void explore_add_workers(unsigned int n, uint32_t flags)
{
	rt->nr_workers = n;
	rt->flags = flags;
	add_workers(0, n, run_worker);
	at_store(&rt->nr_made, n, RELAXED);
	rt->max_made = n;
}

static void add_spares(unsigned int n, void (*run)(void *))
{
	unsigned int i;

	add_workers(rt->max_made, n, run);
	for (i = rt->max_made; i < rt->max_made + n; i++) {
		at_store(&workers[i]->here.attention, FIBER_HERE_SPARE,
			 RELAXED);
		at_store(&workers[i]->here.is_direct, false, RELAXED);
	}
	rt->max_made += n;
}

void explore_add_spares(unsigned int n)
{
	add_spares(n, run_worker);
	at_store(&rt->nr_made, rt->max_made, RELAXED);
}

void explore_allow_spares(unsigned int n)
{
	add_spares(n, run_worker_when_made);
}

/* By the monitor only. */
struct fiber_worker *_fiber_worker_make(void)
{
	uint32_t made = fiber_workers_made();

	if (made == rt->max_made)
		return NULL;
	at_store(&rt->nr_made, made + 1, RELEASE);
	return workers[made];
}

/* There are no bound fibers here: to the scheduler they are threads. */
void _fiber_sched_bound_rests(void)
{
}

void _fiber_sched_bound_stirs(void)
{
}

uint32_t _fiber_bound_count(void)
{
	return 0;
}

int _fiber_bound_make(struct fiber *f, size_t stack_size)
{
	(void)f, (void)stack_size;
	return -EAGAIN;
}

void _fiber_bound_launch(struct fiber *f)
{
	(void)f;
}

void _fiber_bound_unmake(struct fiber *f)
{
	(void)f;
}

void _fiber_bound_exit(struct fiber_here *here, int result)
{
	(void)here, (void)result;
	abort();
}

/* The test says when. */
bool _fiber_blocked(struct fiber_worker *w)
{
	(void)w;
	return explore_env.is_blocked;
}

int64_t _fiber_blocked_ran(const struct fiber_worker *w)
{
	(void)w;
	return -1;
}

/* Any thread may have waited since it was last asked. */
uint64_t _fiber_blocked_count(void)
{
	static uint64_t n;

	return n += explore_choose(2);
}

struct fiber *explore_add_client(const char *name, void (*fn)(void *),
				 void *arg)
{
	unsigned int i = explorer.n;
	struct explore_thread *t = explore_add(name, fn, arg);

	init_client(i);
	t->here = &clients[i].here;
	return &clients[i].fiber;
}

static void run_monitor(void *arg)
{
	_fiber_monitor(arg);
}

void explore_add_monitor(void)
{
	struct explore_thread *t =
		explore_add("monitor", run_monitor, &rt->monitor_here);

	t->here = &rt->monitor_here;
}

void explore_set_stacks(unsigned int n)
{
	stacks_max = n;
	nr_stacks = n;
}

void explore_spawn(struct fiber **fiber, int (*fn)(void *), void *arg)
{
	EXPECT_EQ(fiber_spawn(fiber, fn, arg, NULL), 0);
}

int explore_join(struct fiber *fiber)
{
	int result = -1;

	EXPECT_EQ(fiber_join(fiber, &result), 0);
	return result;
}

void explore_stop_workers(void)
{
	unsigned int i;

	at_store(&rt->quit, 1, SEQ_CST);
	at_store(&rt->monitor_wake, 1, SEQ_CST);
	_fiber_futex_wake(&rt->monitor_wake, 1);
	for (i = 0; i < fiber_workers_made(); i++)
		_fiber_sched_kick(workers[i]);
}

void explore_check_workers(void)
{
	unsigned int seats = 0;
	unsigned int i;

	EXPECT_EQ(at_load(&rt->idle, RELAXED), 0);
	EXPECT(!rt->idle_list);
	EXPECT_EQ(at_load(&rt->spares, RELAXED), 0);
	EXPECT(!rt->spare_list);
	EXPECT_EQ(at_load(&rt->global_len, RELAXED), 0);
	EXPECT(!rt->global);
	for (i = 0; i < fiber_workers_made(); i++) {
		struct fiber_worker *w = workers[i];

		seats += !fiber_is_spare(w);

		EXPECT_EQ(fiber_ring_len(&w->ring), 0);
		EXPECT_EQ(fiber_deque_len(&w->deque), 0);
		EXPECT(!at_load(&w->next, RELAXED));
		EXPECT(!w->inbox);
	}
	EXPECT_EQ(seats, rt->nr_workers);
}

struct fiber_here *_fiber_here(void)
{
	struct explore_thread *self = explorer.self;

	return self ? self->here : &clients[THREADS_MAX].here;
}

struct fiber_here *_fiber_here_slow(int *err)
{
	*err = -ENOMEM;
	return NULL;
}

int _fiber_rt_need(void)
{
	return 0;
}

void _fiber_rt_failed(const struct fiber_why *why)
{
	(void)why;
}

void _fiber_sched_abandoned(void)
{
	explore_fail(__FILE__, __LINE__, "nothing is ever abandoned here");
}

int _fiber_stack_get(struct fiber_stack_arena *arena, struct fiber_stack **got,
		     unsigned int n, struct fiber_why *why)
{
	(void)arena;
	(void)n;
	if (!nr_stacks)
		return _fiber_why(why, -ENOMEM, "no more stacks");
	got[0] = free_stacks[--nr_stacks];
	return 1;
}

void _fiber_stack_put(struct fiber_stack_arena *arena,
		      struct fiber_stack **given, unsigned int n)
{
	unsigned int i;

	(void)arena;
	for (i = 0; i < n; i++)
		free_stacks[nr_stacks++] = given[i];
}

void _fiber_stack_trim(struct fiber_stack_arena *arena, unsigned int keep,
		       unsigned int most)
{
	(void)arena;
	(void)keep;
	(void)most;
}

bool _fiber_stack_intact(const struct fiber_stack *stack)
{
	(void)stack;
	return true;
}

int _fiber_stack_arena_init(struct fiber_stack_arena *arena,
			    const struct fiber_stack_config *config,
			    struct fiber_why *why)
{
	(void)arena;
	(void)config;
	return _fiber_why(why, -ENOMEM, "one size only");
}

void _fiber_stack_arena_exit(struct fiber_stack_arena *arena)
{
	(void)arena;
}
