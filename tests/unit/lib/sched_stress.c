// SPDX-License-Identifier: MIT
/*
 * Fibers that do this and that, at random, and know what has to come of it.
 *
 * The seed is printed; FIBER_TEST_SEED sets it.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 40
#define STEPS RUNTIME_TIMES(300)

static struct fiber_chan *chan;
static fiber_key key;
static uint64_t seed;
static atomic_int children;
static atomic_int in_flight;

static uint64_t draw(uint64_t *state)
{
	/* xorshift64* */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

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
	int n = 1 + (int)(draw(state) % 5);
	int result;
	int err;
	int i;

	for (i = 0; i < n; i++)
		fibers[i] = runtime_spawn(child, (void *)(intptr_t)i);
	while (i-- > 0) {
		err = fiber_join_until(fibers[i], &result,
				       fiber_after(draw(state) % 20000));
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

	switch (draw(state) % 8) {
	case 0:
		have_children(state);
		break;
	case 1:
		CHECK_EQ(fiber_sleep((int64_t)(draw(state) % 200000)), 0);
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

static void prepare(void)
{
	const char *text = getenv("FIBER_TEST_SEED");

	seed = text ? strtoull(text, NULL, 0) : (uint64_t)test_now();
	test_note("FIBER_TEST_SEED=%llu", (unsigned long long)seed);
	CHECK_EQ(fiber_key_add(&key, NULL), 0);
}

static void one_worker(void)
{
	prepare();
	runtime_run(1, 0, all_do, NULL);
}

static void some_workers(void)
{
	prepare();
	runtime_run(2, 0, all_do, NULL);
	runtime_run(3, 0, all_do, NULL);
}

static void many_workers(void)
{
	prepare();
	runtime_run(8, 0, all_do, NULL);
}

static void always_moving(void)
{
	prepare();
	runtime_run(2, FIBER_TEST_MIGRATE, all_do, NULL);
	runtime_run(4, FIBER_TEST_MIGRATE, all_do, NULL);
}

static void by_a_virtual_clock(void)
{
	prepare();
	runtime_run(1, FIBER_TEST_CLOCK, all_do, NULL);
	runtime_run(3, FIBER_TEST_CLOCK, all_do, NULL);
	runtime_run(3, FIBER_TEST_CLOCK | FIBER_TEST_MIGRATE, all_do, NULL);
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
