// SPDX-License-Identifier: MIT
/*
 * Fibers that do this and that, at random, and know what has to come of it.
 *
 * The seed is printed; FIBER_TEST_SEED sets it, STRESS_SECONDS how long it takes.
 */
#include <errno.h>
#include <unistd.h>

#include "harsh.h"
#include "runtime.h"

#define FIBERS 40
#define STEPS RUNTIME_TIMES(300)

static struct fiber_chan *chan;
static fiber_key key;
static uint64_t seed;
static atomic_int children;
static atomic_int in_flight;
static struct harsh_actor *all; /* that do something, as one */

static int child(void *arg)
{
	int n = (int)(intptr_t)arg;

	while (n % 4) {
		fiber_yield();
		n--;
	}
	atomic_fetch_add(&children, 1);
	return (int)(intptr_t)arg;
}

static void detached(void *arg)
{
	child(arg);
	atomic_fetch_sub(&in_flight, 1);
}

static void have_children(uint64_t *state)
{
	struct fiber *fibers[5];
	int n = 1 + (int)(harsh_draw(state, 5));
	int result;
	int err;
	int i;

	for (i = 0; i < n; i++)
		fibers[i] = runtime_spawn(child, (void *)(intptr_t)i);
	while (i-- > 0) {
		err = fiber_join_until(fibers[i], &result,
				       fiber_after(harsh_draw(state, 20000)));
		if (err) {
			CHECK_EQ(err, -ETIMEDOUT);
			result = runtime_join(fibers[i]);
		}
		CHECK_EQ(result, i);
	}
}

static int sleep_cancelled(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	CHECK_EQ(fiber_cancelled(), 7);
	return 0;
}

static void cancel_one(void)
{
	struct fiber *fiber = runtime_spawn(sleep_cancelled, NULL);

	CHECK_EQ(fiber_cancel(fiber, 7), 0);
	CHECK_EQ(runtime_join(fiber), 0);
}

static void stay_pinned(void)
{
	pid_t thread;

	fiber_pin();
	thread = gettid();
	fiber_yield();
	CHECK_EQ(gettid(), thread);
	fiber_unpin();
}

static void do_something(uint64_t *state)
{
	intptr_t i;

	switch (harsh_draw(state, 8)) {
	case 0:
		have_children(state);
		break;
	case 1:
		CHECK_EQ(fiber_sleep((int64_t)(harsh_draw(state, 200000))), 0);
		break;
	case 2:
		atomic_fetch_add(&in_flight, 1);
		CHECK_EQ(fiber_go(detached, (void *)3), 0);
		break;
	case 3:
		cancel_one();
		break;
	case 4:
		stay_pinned();
		break;
	case 5:
		i = 1;
		if (fiber_try_send(chan, &i) == -EAGAIN)
			fiber_try_recv(chan, &i);
		CHECK_EQ(i, 1);
		break;
	default:
		fiber_yield();
	}
}

static int do_this_and_that(void *arg)
{
	uint64_t state = seed ^ ((uintptr_t)arg * 0x9e3779b97f4a7c15);
	int i;

	CHECK_EQ(fiber_key_set(key, &state), 0);
	for (i = 0; i < STEPS; i++) {
		harsh_step(all, "something at random");
		do_something(&state);
		CHECK(fiber_key_get(key) == &state);
	}
	return 0;
}

static int all_do(void *arg)
{
	struct fiber *fibers[FIBERS];
	intptr_t i;

	(void)arg;
	CHECK_EQ(fiber_chan_new(&chan, sizeof(intptr_t), 10, NULL), 0);
	for (i = 0; i < FIBERS; i++)
		fibers[i] = runtime_spawn(do_this_and_that, (void *)(i + 1));
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	while (atomic_load(&in_flight) > 0)
		fiber_yield();
	fiber_chan_put(chan);
	return 0;
}

struct shape {
	unsigned int workers;
	unsigned int flags;
};

static void prepare(void)
{
	seed = harsh_seed();
	CHECK_EQ(fiber_key_add(&key, NULL), 0);
	harsh_watch();
	all = harsh_actor("all");
}

/* Once, or for the time that was asked for. */
static void run_for_a_while(const struct shape *shapes, int n)
{
	int64_t end = test_now() + harsh_time(0, 5);
	int i;

	prepare();
	do {
		for (i = 0; i < n; i++)
			runtime_run(shapes[i].workers, shapes[i].flags, all_do,
				    NULL);
		seed += n;
	} while (test_now() < end);
	harsh_unwatch();
}

static void one_worker(void)
{
	static const struct shape shapes[] = { { 1, 0 } };

	run_for_a_while(shapes, ARRAY_SIZE(shapes));
}

static void some_workers(void)
{
	static const struct shape shapes[] = { { 2, 0 }, { 3, 0 } };

	run_for_a_while(shapes, ARRAY_SIZE(shapes));
}

static void many_workers(void)
{
	static const struct shape shapes[] = { { 8, 0 } };

	run_for_a_while(shapes, ARRAY_SIZE(shapes));
}

static void always_moving(void)
{
	static const struct shape shapes[] = {
		{ 2, FIBER_TEST_MIGRATE },
		{ 4, FIBER_TEST_MIGRATE },
	};

	run_for_a_while(shapes, ARRAY_SIZE(shapes));
}

static void by_a_virtual_clock(void)
{
	static const struct shape shapes[] = {
		{ 1, FIBER_TEST_CLOCK },
		{ 3, FIBER_TEST_CLOCK },
		{ 3, FIBER_TEST_CLOCK | FIBER_TEST_MIGRATE },
	};

	run_for_a_while(shapes, ARRAY_SIZE(shapes));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(one_worker),	  TEST(some_workers),
		TEST(many_workers),	  TEST(always_moving),
		TEST(by_a_virtual_clock),
	};

	return RUN(argc, argv, tests);
}
