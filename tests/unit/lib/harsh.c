// SPDX-License-Identifier: MIT
/*
 * Random numbers, the watch, and the scenario.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harsh.h"

uint64_t harsh_seed(void)
{
	const char *text = getenv("FIBER_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)test_now();

	seed += !seed;
	test_note("FIBER_TEST_SEED=%llu", (unsigned long long)seed);
	return seed;
}

uint32_t harsh_draw(uint64_t *state, uint32_t n)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1d >> 32) % n;
}

int64_t harsh_time(int64_t ns, int n)
{
	const char *text = getenv("STRESS_SECONDS");
	int seconds = text ? atoi(text) : 0;

	if (seconds <= 0)
		return ns;
	/* The harness's limit is for tests that were not asked to take long. */
	alarm(seconds + 60);
	return seconds * SEC / n;
}

/* The watch. */

int64_t harsh_silence = HARSH_SILENCE;

static struct harsh_actor actors[HARSH_ACTORS_MAX];
static atomic_uint nr_actors;
static atomic_bool unwatched;
static pthread_t watcher;

struct harsh_actor *harsh_actor(const char *name)
{
	unsigned int i = atomic_fetch_add(&nr_actors, 1);

	CHECK(i < HARSH_ACTORS_MAX);
	snprintf(actors[i].name, sizeof(actors[i].name), "%s", name);
	atomic_store(&actors[i].steps, 0);
	atomic_store(&actors[i].doing, "start");
	return &actors[i];
}

void harsh_step(struct harsh_actor *actor, const char *doing)
{
	atomic_store_explicit(&actor->doing, doing, memory_order_relaxed);
	atomic_fetch_add_explicit(&actor->steps, 1, memory_order_relaxed);
}

static unsigned long count_steps(void)
{
	unsigned long n = 0;
	unsigned int i;

	for (i = 0; i < atomic_load(&nr_actors); i++)
		n += atomic_load(&actors[i].steps);
	return n;
}

/* The one place that says what the runtime is at when nothing goes on. */
static void tell_runtime(void)
{
	struct fiber_status s = { .size = sizeof(s) };

	if (!fiber_status(&s))
		test_note("%llu fibers, %u of %u workers idle, %llu starved %s",
			  (unsigned long long)s.fibers, s.idle, s.workers,
			  (unsigned long long)s.starved, s.why);
	/* Who says the results may be reading what is said here. */
	fflush(stdout);
	if (fiber_dump(STDERR_FILENO, 0) < 0)
		test_note("no dump");
}

static void tell_all(void)
{
	unsigned int i;

	for (i = 0; i < atomic_load(&nr_actors); i++)
		test_note("%u %s: %lu steps, then: %s", i, actors[i].name,
			  atomic_load(&actors[i].steps),
			  atomic_load(&actors[i].doing));
	tell_runtime();
}

static void *watch(void *arg)
{
	unsigned long seen = count_steps();
	int64_t since = test_now();

	(void)arg;
	while (!atomic_load(&unwatched)) {
		unsigned long now = count_steps();

		usleep(20 * 1000);
		if (now != seen)
			since = test_now();
		seen = now;
		if (test_now() - since < harsh_silence)
			continue;
		tell_all();
		test_fail(__FILE__, __LINE__, "nothing goes on any more");
	}
	return NULL;
}

void harsh_watch(void)
{
	atomic_store(&unwatched, false);
	atomic_store(&nr_actors, 0);
	CHECK_EQ(pthread_create(&watcher, NULL, watch, NULL), 0);
}

void harsh_unwatch(void)
{
	atomic_store(&unwatched, true);
	CHECK_EQ(pthread_join(watcher, NULL), 0);
}

/* The scenario. */

#define MANY 100 /* more than the first slab has stacks */

static atomic_int failed_with;
static _Atomic(const char *) failed_at;

/* Whether the call failed, which is noted. */
static bool failed(int err, const char *call)
{
	int none = 0;

	if (err >= 0)
		return false;
	if (err != -ENOMEM && err != -EAGAIN)
		test_fail(__FILE__, __LINE__, "%s: %d", call, err);
	if (atomic_compare_exchange_strong(&failed_with, &none, err))
		atomic_store(&failed_at, call);
	return true;
}

#define FAILED(call) failed(call, #call)

/* It comes, or there is no memory to wait for it. */
static void check_time_out(int err, const char *call)
{
	if (err != -ETIMEDOUT)
		CHECK(failed(err, call));
}

#define CHECK_TIMES_OUT(call) check_time_out(call, #call)

static atomic_int destroyed;

static void destroy(void *value)
{
	(void)value;
	atomic_fetch_add(&destroyed, 1);
}

static int use_a_deep_stack(void *arg)
{
	char deep[512 * 1024];

	(void)arg;
	memset(deep, 1, sizeof(deep));
	/* So that it is not left out. */
	__asm__ volatile("" ::"r"(deep) : "memory");
	return FAILED(fiber_name_set("another")) ? 0 : 1;
}

static void name_a_deep_one(void)
{
	struct fiber_attr attr = {
		.size = sizeof(attr),
		.name = "deep",
		.stack_size = 1 << 20,
	};
	struct fiber *fiber;

	if (!FAILED(fiber_spawn(&fiber, use_a_deep_stack, NULL, &attr)))
		CHECK_EQ(join(fiber), 1);
}

static fiber_key key;

static int set_a_key_and_exit(void *arg)
{
	struct fiber_cleanup cleanup;
	int before = atomic_load(&destroyed);

	if (FAILED(fiber_key_set(key, arg)))
		return 1;
	CHECK(fiber_key_get(key) == arg);
	if (FAILED(fiber_cleanup_push(&cleanup, destroy, NULL)))
		return 1;
	CHECK_EQ(atomic_load(&destroyed), before);
	fiber_exit(2);
}

static void use_keys(void)
{
	int before = atomic_load(&destroyed);
	struct fiber *fiber;

	if (!FAILED(fiber_spawn(&fiber, set_a_key_and_exit, &before, NULL)) &&
	    join(fiber) == 2)
		CHECK_EQ(atomic_load(&destroyed), before + 2);
}

#define ELEM_SIZE_MAX 4096
#define ELEMS 10

static int produce(void *arg)
{
	struct fiber_chan *chan = arg;
	unsigned char elem[ELEM_SIZE_MAX];
	int n = 0;

	memset(elem, 1, sizeof(elem));
	while (n < ELEMS && !FAILED(fiber_send(chan, elem)))
		n++;
	CHECK_EQ(fiber_chan_close(chan), 0);
	return n;
}

static void pass(size_t size, size_t capacity)
{
	unsigned char elem[ELEM_SIZE_MAX] = { 0 };
	struct fiber_chan *chan;
	struct fiber *fiber;
	int n = 0;

	if (FAILED(fiber_chan_new(&chan, size, capacity, NULL)))
		return;
	if (!FAILED(fiber_spawn(&fiber, produce, chan, NULL))) {
		for (; !fiber_recv(chan, elem); n++) {
			CHECK(!size || elem[size - 1] == 1);
			elem[size ? size - 1 : 0] = 0;
		}
		CHECK_EQ(join(fiber), n);
	}
	fiber_chan_put(chan);
}

static void pass_elements(void)
{
	pass(0, 2);
	pass(8, 0);
	pass(8, 4);
	pass(ELEM_SIZE_MAX, 0);
	pass(ELEM_SIZE_MAX, 2);
}

static void select_among(struct fiber_case *cases, int n, unsigned char *elem)
{
	int sent = fiber_select(cases, n, 0);
	int i;

	if (FAILED(sent))
		return;
	CHECK_EQ(cases[sent].result, 0);
	memset(elem, 0, ELEM_SIZE_MAX);
	for (i = 0; i < n; i++)
		cases[i].op = FIBER_RECV;
	CHECK_EQ(fiber_select(cases, n, 0), sent);
	CHECK_EQ(cases[sent].result, 0);
	CHECK_EQ(elem[100], 1);
	CHECK_TIMES_OUT(fiber_select_until(cases, n, 0, fiber_after(USEC)));
	CHECK_TIMES_OUT(
		fiber_select_until(cases, n, 0, fiber_after(100 * USEC)));
}

/* Elements of 4 KiB, with boxes, and those for which there is room on stacks. */
static void select_among_many(void)
{
	struct fiber_case cases[FIBER_CASES_MAX];
	unsigned char elem[ELEM_SIZE_MAX];
	int n;

	memset(elem, 1, sizeof(elem));
	for (n = 0; n < FIBER_CASES_MAX; n++) {
		cases[n] =
			(struct fiber_case){ .op = FIBER_SEND, .elem = elem };
		if (FAILED(fiber_chan_new(&cases[n].chan,
					  n % 16 ? 128 : ELEM_SIZE_MAX, 1,
					  NULL)))
			break;
	}
	if (n == FIBER_CASES_MAX)
		select_among(cases, n, elem);
	while (n-- > 0)
		fiber_chan_put(cases[n].chan);
}

static void use_timers(void)
{
	struct fiber_timer *timer;
	struct fiber_chan *chan;
	int64_t t;

	if (FAILED(fiber_timer_new(&timer, fiber_after(50 * USEC), 0)))
		return;
	chan = fiber_timer_chan(timer);
	CHECK_EQ(fiber_recv(chan, &t), 0);
	if (!FAILED(fiber_timer_set(timer, fiber_now(), 50 * USEC))) {
		CHECK_EQ(fiber_recv(chan, &t), 0);
		CHECK_EQ(fiber_recv(chan, &t), 0);
		CHECK_EQ(fiber_timer_set(timer, FIBER_FOREVER, 0), 1);
	}
	fiber_timer_free(timer);
}

static void wait_until(void)
{
	struct fiber_chan *chan;

	(void)FAILED(fiber_sleep(50 * USEC));
	if (FAILED(fiber_chan_new(&chan, 8, 0, NULL)))
		return;
	CHECK_TIMES_OUT(fiber_recv_until(chan, NULL, fiber_after(50 * USEC)));
	CHECK_TIMES_OUT(fiber_send_until(chan, &chan, fiber_after(50 * USEC)));
	fiber_chan_put(chan);
}

static int recv_until_closed(void *chan)
{
	CHECK_EQ(fiber_recv(chan, NULL), -EPIPE);
	return 0;
}

static void make_many(void)
{
	struct fiber *fibers[MANY];
	struct fiber_chan *chan;
	int n = 0;

	if (FAILED(fiber_chan_new(&chan, 8, 0, NULL)))
		return;
	while (n < MANY &&
	       !FAILED(fiber_spawn(&fibers[n], recv_until_closed, chan, NULL)))
		n++;
	if (n > 0)
		CHECK_TIMES_OUT(fiber_join_until(fibers[0], NULL,
						 fiber_after(50 * USEC)));
	CHECK_EQ(fiber_chan_close(chan), 0);
	while (n-- > 0)
		CHECK_EQ(join(fibers[n]), 0);
	fiber_chan_put(chan);
}

static void *send_from_thread(void *chan)
{
	uint64_t value = 7;

	if (FAILED(fiber_send(chan, &value)))
		CHECK_EQ(fiber_send(chan, &value), 0);
	return NULL;
}

static void let_a_thread_send(void)
{
	struct fiber_chan *chan;
	pthread_t thread;
	uint64_t value;

	if (FAILED(fiber_chan_new(&chan, 8, 0, NULL)))
		return;
	if (!FAILED(-pthread_create(&thread, NULL, send_from_thread, chan))) {
		CHECK_EQ(fiber_recv(chan, &value), 0);
		CHECK_EQ(value, 7);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	}
	fiber_chan_put(chan);
}

static void use_deadlines(void)
{
	int64_t before = fiber_deadline_push(fiber_after(50 * USEC));
	struct fiber_chan *chan;

	if (failed(before < 0 ? (int)before : 0, "fiber_deadline_push()"))
		return;
	if (!FAILED(fiber_chan_new(&chan, 8, 0, NULL))) {
		CHECK_TIMES_OUT(fiber_recv(chan, NULL));
		fiber_chan_put(chan);
	}
	fiber_deadline_pop(before);
}

static int wait_in_scope(void *chan)
{
	CHECK_EQ(fiber_recv(chan, NULL), -ECANCELED);
	return -ECANCELED;
}

/* More than fit in the first memory for them. */
static void wait_in_scopes(struct fiber_chan *chan)
{
	struct fiber_scope_attr attr = { .size = sizeof(attr) };
	struct fiber_scope *scope;
	int n = 0;

	attr.deadline = fiber_after(SEC);
	if (FAILED(fiber_scope_new(&scope, &attr)))
		return;
	while (n < MANY && !FAILED(fiber_scope_go(scope, wait_in_scope, chan)))
		n++;
	if (n == MANY)
		CHECK_TIMES_OUT(
			fiber_scope_wait_until(scope, fiber_after(50 * USEC)));
	CHECK_EQ(fiber_scope_cancel(scope, 1), 0);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	fiber_scope_free(scope);
}

static int own_scopes(void *chan)
{
	wait_in_scopes(chan);
	wait_in_scopes(chan);
	return 0;
}

static void use_scopes(void)
{
	struct fiber_chan *chan;
	struct fiber *fiber;

	if (FAILED(fiber_chan_new(&chan, 8, 0, NULL)))
		return;
	if (!FAILED(fiber_spawn(&fiber, own_scopes, chan, NULL)))
		CHECK_EQ(join(fiber), 0);
	fiber_chan_put(chan);
}

static int do_all(void *arg)
{
	static void (*const parts[])(void) = {
		name_a_deep_one, use_keys,   pass_elements, select_among_many,
		use_timers,	 wait_until, make_many,	    let_a_thread_send,
		use_deadlines,	 use_scopes,
	};
	size_t i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(parts) && !atomic_load(&failed_with); i++)
		parts[i]();
	return 0;
}

int harsh_scenario(const char **where)
{
	struct fiber_config config = { .size = sizeof(config), .workers = 2 };
	static bool has_key;
	struct fiber *fiber;

	atomic_store(&failed_with, 0);
	if (!has_key)
		CHECK_EQ(fiber_key_add(&key, destroy), 0);
	has_key = true;
	if (!FAILED(fiber_start(&config))) {
		if (!FAILED(fiber_spawn(&fiber, do_all, NULL, NULL)))
			CHECK_EQ(join(fiber), 0);
		/* -EPERM if it failed to become known. */
		(void)fiber_thread_detach();
		CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
	}
	if (where)
		*where = atomic_load(&failed_at);
	return atomic_load(&failed_with);
}
