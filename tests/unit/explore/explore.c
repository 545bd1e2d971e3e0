// SPDX-License-Identifier: MIT
/*
 * Test threads, and who of them goes on.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

#define STACK_SIZE (128 * 1024)
/* Nobody who could run is left out for longer. */
#define FAIR_STEPS 3000
/* More, and it will never end. */
#define STEPS_MAX 2000000
#define NEVER UINT64_MAX
/* The sanitizers' programs look for what is wrong in any schedule. */
#ifdef __SANITIZE_ADDRESS__
#define SLOWER 4
#else
#define SLOWER 1
#endif
#define PRIORITIES (1 << 20)

struct explorer explorer;
static uint64_t replay; /* the only seed to run; 0 for all */

static uint64_t random_next(void)
{
	uint64_t x = explorer.random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	explorer.random = x;
	return x * 0x2545f4914f6cdd1dull;
}

uint32_t explore_choose(uint32_t n)
{
	return (random_next() >> 32) * n >> 32;
}

static unsigned int one_of(const unsigned int *values, unsigned int n)
{
	return values[explore_choose(n)];
}
#define ONE_OF(...)                                            \
	one_of((const unsigned int[]){ __VA_ARGS__ },          \
	       sizeof((const unsigned int[]){ __VA_ARGS__ }) / \
		       sizeof(unsigned int))

static enum explore_memory choose_memory(void)
{
	static const char *const names[] = { "sc", "tso", "pso", "llsc",
					     "weak" };
	const char *forced = getenv("EXPLORE_MEMORY");
	unsigned int i;

	for (i = 0; forced && i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], forced))
			return i;
	}
	return ONE_OF(EXPLORE_SC, EXPLORE_TSO, EXPLORE_TSO, EXPLORE_PSO,
		      EXPLORE_PSO, EXPLORE_LLSC, EXPLORE_LLSC, EXPLORE_WEAK);
}

static uint64_t after(unsigned int gap)
{
	return gap ? explorer.steps + 1 + explore_choose(2 * gap - 1) : NEVER;
}

/* PCT's are spread over the whole run. */
static void draw_switch(void)
{
	if (!explorer.profile.pct) {
		explorer.next_switch = after(explorer.profile.switch_gap);
		return;
	}
	explorer.next_switch =
		explorer.changes ?
			after(explorer.length / (explorer.changes + 1) + 2) :
			NEVER;
	if (explorer.changes)
		explorer.changes--;
}

static void draw_event(void)
{
	explorer.next_event = STEPS_MAX;
	if (explorer.next_switch < explorer.next_event)
		explorer.next_event = explorer.next_switch;
	if (explorer.next_flush < explorer.next_event)
		explorer.next_event = explorer.next_flush;
	if (explorer.next_time < explorer.next_event)
		explorer.next_event = explorer.next_time;
	if (explorer.next_fair < explorer.next_event)
		explorer.next_event = explorer.next_fair;
}

/* Seed 0 is a run without preemption, to know how long it is. */
static void set_profile(uint64_t seed)
{
	struct explore_profile *p = &explorer.profile;

	explorer.seed = seed;
	explorer.random = (seed + 1) * 0x9e3779b97f4a7c15ull;
	random_next();
	explorer.steps = 0;
	explorer.next_fair = FAIR_STEPS;
	explorer.lowest = 0;
	explorer.highest = PRIORITIES;
	explorer.now = 0;
	explorer.n = 0;
	explorer.store_waits = 0;
	*p = (struct explore_profile){ .pct = true, .buffer_max = 1 };
	explorer.changes = 0;
	if (seed) {
		p->memory = choose_memory();
		p->pct = explore_choose(2);
		p->switch_gap = ONE_OF(1, 2, 4, 8, 16, 32);
		p->flush_gap = ONE_OF(0, 0, 2, 8, 32, 128);
		p->time_gap = ONE_OF(0, 20, 100, 500);
		p->pause = ONE_OF(0, 0, 4, 64);
		p->buffer_max = ONE_OF(1, 2, 4, BUFFER_MAX);
		explorer.changes = explore_choose(6);
	}
	draw_switch();
	explorer.next_flush = after(p->flush_gap);
	explorer.next_time = after(p->time_gap);
	draw_event();
}

static void make_run(struct explore_thread *t)
{
	t->state = THREAD_RUNS;
	t->word = NULL;
	/* In PCT, the highest runs. */
	if (explorer.profile.pct && explorer.self &&
	    t->priority > explorer.self->priority)
		explorer.next_event = explorer.steps;
}

void explore_set_now(int64_t now)
{
	unsigned int i;

	if (now > explorer.now)
		explorer.now = now;
	for (i = 0; i < explorer.n; i++) {
		struct explore_thread *t = &explorer.threads[i];

		if (t->state != THREAD_WAITS || t->until > explorer.now)
			continue;
		t->timed_out = true;
		make_run(t);
	}
}

int64_t explore_next_time(void)
{
	int64_t next = INT64_MAX;
	unsigned int i;

	for (i = 0; i < explorer.n; i++) {
		struct explore_thread *t = &explorer.threads[i];

		if (t->state == THREAD_WAITS && t->until < next)
			next = t->until;
	}
	return next;
}

int64_t explore_now(void)
{
	return explorer.now;
}

/* One of those, by the schedule; or NULL. */
static struct explore_thread *
some(bool (*wanted)(const struct explore_thread *t))
{
	struct explore_thread *found[THREADS_MAX];
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < explorer.n; i++) {
		if (wanted(&explorer.threads[i]))
			found[n++] = &explorer.threads[i];
	}
	return n ? found[explore_choose(n)] : NULL;
}

static bool runs(const struct explore_thread *t)
{
	return t->state == THREAD_RUNS;
}

static bool runs_too(const struct explore_thread *t)
{
	return t->state == THREAD_RUNS && t != explorer.self;
}

static bool naps(const struct explore_thread *t)
{
	return t->state == THREAD_NAPS;
}

static bool may_return(const struct explore_thread *t)
{
	return t->state == THREAD_WAITS && t->may_return;
}

static bool has_stores(const struct explore_thread *t)
{
	return t->buffer.n > 0;
}

static bool is_needed(const struct explore_thread *t)
{
	return !t->daemon && t->state != THREAD_ENDED;
}

void explore_drain_all(void)
{
	unsigned int i;

	for (i = 0; i < explorer.n; i++)
		explore_drain(&explorer.threads[i].buffer);
}

static struct explore_thread *highest(void)
{
	struct explore_thread *best = NULL;
	unsigned int i;

	for (i = 0; i < explorer.n; i++) {
		struct explore_thread *t = &explorer.threads[i];

		if (runs(t) && (!best || t->priority > best->priority))
			best = t;
	}
	return best;
}

static struct explore_thread *pick(void)
{
	return explorer.profile.pct ? highest() : some(runs);
}

bool explore_alone(void)
{
	return !some(runs_too);
}

void explore_stuck(void)
{
	explore_drain_all();
	if (!some(runs_too) && some(is_needed))
		explore_fail(__FILE__, __LINE__,
			     "a wake is lost: nobody can run");
}

/* Who goes on; NULL when all have ended. */
static struct explore_thread *choose_next(void)
{
	struct explore_thread *t;
	int64_t until;

	while (!(t = pick())) {
		explore_drain_all();
		if (some(runs))
			continue;
		t = some(naps);
		if (t) {
			t->nobody = true;
			make_run(t);
			continue;
		}
		until = explore_next_time();
		if (some(is_needed))
			explore_check_time(until);
		if (until != INT64_MAX)
			explore_set_now(until);
		else if (some(is_needed))
			explore_stuck();
		else
			return NULL;
	}
	return t;
}

static void go(struct explore_thread *to)
{
	struct explore_thread *from = explorer.self;

	if (to == from)
		return;
	explorer.self = to;
	to->ran = explorer.steps;
	if (explorer.trace)
		explore_trace("goes on", NULL, 0);
	coro_switch(&from->co, &to->co, NULL);
}

static void pass_time(void)
{
	struct explore_thread *t;
	int64_t until;

	switch (explore_choose(4)) {
	case 0:
		until = explore_next_time();
		if (until != INT64_MAX)
			explore_set_now(until);
		break;
	case 1:
		t = some(may_return);
		if (t)
			make_run(t);
		break;
	default:
		t = some(naps);
		if (t)
			make_run(t);
	}
}

/*
 * Steps take time, after all. Who could have run meanwhile, and did not, for too
 * long; or NULL.
 */
static struct explore_thread *find_starved(void)
{
	struct explore_thread *found = NULL;
	int64_t until = explore_next_time();
	unsigned int i;

	explorer.next_fair = explorer.steps + FAIR_STEPS;
	if (until != INT64_MAX)
		explore_set_now(until);
	for (i = 0; i < explorer.n; i++) {
		struct explore_thread *t = &explorer.threads[i];

		if (runs_too(t) && t->ran + FAIR_STEPS <= explorer.steps &&
		    (!found || t->ran < found->ran))
			found = t;
	}
	return found;
}

void explore_event(void)
{
	struct explore_thread *t;

	if (explorer.steps >= STEPS_MAX)
		explore_fail(__FILE__, __LINE__, "it does not end");
	if (explorer.steps >= explorer.next_flush) {
		explorer.next_flush = after(explorer.profile.flush_gap);
		t = some(has_stores);
		if (t)
			explore_flush_some(&t->buffer);
	}
	if (explorer.steps >= explorer.next_time) {
		explorer.next_time = after(explorer.profile.time_gap);
		pass_time();
	}
	t = explorer.steps >= explorer.next_fair ? find_starved() : NULL;
	if (t) {
		t->priority = ++explorer.highest;
	} else if (explorer.steps >= explorer.next_switch) {
		draw_switch();
		explorer.self->priority = --explorer.lowest;
		t = pick();
	} else {
		t = explorer.profile.pct ? highest() : explorer.self;
	}
	draw_event();
	go(t);
}

void explore_yield(void)
{
	struct explore_thread *t;

	if (!explorer.self)
		return;
	explore_point(explorer.self->place);
	if (!some(runs_too))
		explore_drain_all();
	t = some(runs_too);
	if (t)
		go(t);
}

bool explore_wait(const void *word, int64_t until, bool returns,
		  const char *why)
{
	struct explore_thread *self = explorer.self;

	if (!self)
		explore_fail(__FILE__, __LINE__, "the shape itself waits");
	self->word = word;
	self->until = until;
	self->may_return = returns;
	self->why = why;
	self->timed_out = false;
	self->state = THREAD_WAITS;
	if (explorer.trace)
		explore_trace(why, word, until);
	go(choose_next());
	explore_past_fence(&self->past);
	return self->timed_out;
}

void explore_wait_store(const void *at, size_t size, const char *why)
{
	struct explore_thread *self = explorer.self;

	/* What it has loaded may be old. */
	if (memcmp(at, &self->loaded, size)) {
		explore_past_fence(&self->past);
		return;
	}
	self->for_store = true;
	explorer.store_waits++;
	explore_wait(at, INT64_MAX, false, why);
	self->for_store = false;
	explorer.store_waits--;
}

void explore_stored(const void *at)
{
	unsigned int i;

	for (i = 0; i < explorer.n; i++) {
		struct explore_thread *t = &explorer.threads[i];

		if (t->state == THREAD_WAITS && t->for_store && t->word == at)
			make_run(t);
	}
}

unsigned int explore_wake(const void *word, unsigned int n)
{
	struct explore_thread *found[THREADS_MAX];
	unsigned int count = 0;
	unsigned int woken;
	unsigned int i;

	for (i = 0; i < explorer.n; i++) {
		struct explore_thread *t = &explorer.threads[i];

		if (t->state == THREAD_WAITS && t->word == word)
			found[count++] = t;
	}
	for (woken = 0; woken < n && count; woken++) {
		i = explore_choose(count);
		make_run(found[i]);
		found[i] = found[--count];
	}
	return woken;
}

bool explore_nap(bool *nobody)
{
	struct explore_thread *self = explorer.self;

	self->state = THREAD_NAPS;
	self->nobody = false;
	go(choose_next());
	*nobody = self->nobody;
	return some(is_needed);
}

static void start(struct coro *co, void *arg)
{
	struct explore_thread *self = (struct explore_thread *)co;
	struct explore_thread *next;

	(void)arg;
	self->fn(self->arg);
	self->state = THREAD_ENDED;
	next = choose_next();
	explorer.self = next;
	coro_end(co, next ? &next->co : &explorer.shape, NULL);
}

static void *stack_of(unsigned int i)
{
	static void *stacks[THREADS_MAX];

	if (!stacks[i])
		stacks[i] = malloc(STACK_SIZE);
	CHECK(stacks[i]);
	_fiber_sanitize_wipe(stacks[i], STACK_SIZE);
	return stacks[i];
}

struct explore_thread *explore_add(const char *name, void (*fn)(void *),
				   void *arg)
{
	unsigned int i = explorer.n++;
	struct explore_thread *t = &explorer.threads[i];
	char *stack;

	CHECK(i < THREADS_MAX);
	stack = stack_of(i);
	*t = (struct explore_thread){
		.name = name,
		.fn = fn,
		.arg = arg,
		.until = INT64_MAX,
		.priority = 1 + explore_choose(PRIORITIES),
		.place = "its start",
	};
	coro_init_on(&t->co, stack, STACK_SIZE, stack + STACK_SIZE, start);
	return t;
}

struct explore_thread *explore_add_daemon(const char *name, void (*fn)(void *),
					  void *arg)
{
	struct explore_thread *t = explore_add(name, fn, arg);

	t->daemon = true;
	return t;
}

void explore_run(void)
{
	explore_past_reset();
	explorer.self = choose_next();
	coro_switch(&explorer.shape, &explorer.self->co, NULL);
}

static void run_seed(void (*shape)(void), uint64_t seed)
{
	set_profile(seed);
	explore_reset();
	shape();
}

static unsigned long number(const char *variable, unsigned long other)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 10) : other;
}

void explore(const char *test, void (*shape)(void), unsigned int schedules)
{
	int64_t ns = number("EXPLORE_SECONDS", 0) * 1000000000ull;
	int64_t start = test_now();
	uint64_t steps = 0;
	uint64_t n = number("EXPLORE_SCHEDULES", schedules / SLOWER);
	uint64_t i = 0;

	explore_report_test(test);
	explore_report_deaths();
	run_seed(shape, 0);
	explorer.length = explorer.steps;
	if (replay) {
		explorer.trace = number("EXPLORE_TRACE", 0);
		run_seed(shape, replay);
		explore_done();
		return;
	}
	if (ns)
		alarm(0);
	while (ns ? test_now() - start < ns : i < n) {
		run_seed(shape, ++i);
		steps += explorer.steps;
	}
	ns = test_now() - start;
	explore_done();
	test_note("%s: %lu schedules of %lu steps, %lu a second", test, i,
		  steps / (i ? i : 1), i * 1000000000ul / (ns ? ns : 1));
}

int explore_main(int argc, char **argv, const struct test *tests, size_t n)
{
	if (argc > 2)
		replay = strtoull(argv[2], NULL, 10);
	return test_main(argc, argv, tests, n);
}
