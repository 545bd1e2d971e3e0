// SPDX-License-Identifier: MIT
/*
 * FIBER_TEST_CLOCK: time stands still while anybody has something to do, and
 * then jumps to the next deadline.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"

static void still(void)
{
	CHECK_EQ(fiber_now(), 0);
	CHECK_EQ(fiber_after(5), 5);
	CHECK_EQ(fiber_after(-5), 0);
	CHECK_EQ(fiber_after(FIBER_FOREVER), FIBER_FOREVER);
	for (int i = 0; i < 1000; i++)
		fiber_yield();
	CHECK_EQ(fiber_now(), 0);
	CHECK_EQ(fiber_sleep(3), 0);
	CHECK_EQ(fiber_now(), 3);
	CHECK_EQ(fiber_after(5), 8);
	CHECK_EQ(fiber_after(FIBER_FOREVER), FIBER_FOREVER);
	CHECK_EQ(fiber_after(FIBER_FOREVER - 1), FIBER_FOREVER);
}

static void stands_still(void)
{
	run_shapes(FIBER_TEST_CLOCK, still);
}

static void one_hour(void)
{
	CHECK_EQ(fiber_sleep(HOUR), 0);
}

/* Later than the hour it would take: a test that hangs is ended before. */
static void hours_take_no_time(void)
{
	run_shapes(FIBER_TEST_CLOCK, one_hour);
}

/* Somebody works until told: the sleeper's time does not come meanwhile. */
static _Atomic bool worked;

static int work(void *arg)
{
	int64_t start = fiber_now();

	(void)arg;
	for (int i = 0; i < 2000; i++) {
		fiber_yield();
		CHECK_EQ(fiber_now(), start);
	}
	worked = true;
	return 0;
}

static void sleep_beside_work(void)
{
	for (int i = 0; i < 20; i++) {
		struct fiber *fiber;

		worked = false;
		fiber = spawn(work, NULL);
		CHECK_EQ(fiber_sleep(1), 0);
		CHECK(worked);
		CHECK_EQ(join(fiber), 0);
	}
}

static void waits_for_whoever_works(void)
{
	run_shapes(FIBER_TEST_CLOCK, sleep_beside_work);
}

/* Elements on their way are work, too. */
#define RING 10

static struct fiber_chan *ring[RING];

static int pass_on(void *arg)
{
	int number = *(int *)arg;
	int value;

	for (int i = 0; i < 50; i++) {
		value = recv_int(ring[number]);
		send_int(ring[(number + 1) % RING], value + 1);
	}
	return 0;
}

static void sleep_beside_a_ring(void)
{
	int64_t start = fiber_now();
	struct fiber *fibers[RING];
	int numbers[RING];

	for (int i = 0; i < RING; i++)
		ring[i] = new_chan(sizeof(int), 1);
	for (int i = 0; i < RING; i++) {
		numbers[i] = i;
		fibers[i] = spawn(pass_on, &numbers[i]);
	}
	send_int(ring[0], 0);
	CHECK_EQ(fiber_sleep(1), 0);
	/* All is done by then. */
	CHECK_EQ(fiber_chan_len(ring[0]), 1);
	CHECK_EQ(recv_int(ring[0]), 50 * RING);
	for (int i = 0; i < RING; i++) {
		CHECK_EQ(join(fibers[i]), 0);
		fiber_chan_put(ring[i]);
	}
	CHECK_EQ(fiber_now(), start + 1);
}

static void waits_for_elements_on_their_way(void)
{
	run_shapes(FIBER_TEST_CLOCK, sleep_beside_a_ring);
}

/* A thread in a call counts, and wakes at exact times as fibers do. */
static void *wait_and_send(void *c)
{
	struct fiber_chan *none = new_chan(sizeof(int), 0);
	struct fiber_case cases[] = { { .chan = none, .op = FIBER_RECV } };

	for (int i = 0; i < 99; i++) {
		int64_t at = fiber_after(HOUR);

		if (i % 3 == 0)
			CHECK_EQ(fiber_sleep_until(at), 0);
		else if (i % 3 == 1)
			CHECK_EQ(fiber_recv_until(none, NULL, at), -ETIMEDOUT);
		else
			CHECK_EQ(fiber_select_until(cases, 1, 0, at),
				 -ETIMEDOUT);
		CHECK_EQ(fiber_send(c, &at), 0);
	}
	fiber_chan_put(none);
	return NULL;
}

static void wait_in_thread(void)
{
	struct fiber_chan *c = new_chan(sizeof(int64_t), 0);
	int64_t at, last = 0;
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, wait_and_send, c), 0);
	for (int i = 0; i < 99; i++) {
		CHECK_EQ(fiber_recv(c, &at), 0);
		CHECK_EQ(fiber_now(), at);
		CHECK(at > last);
		last = at;
	}
	CHECK_EQ(pthread_join(thread, NULL), 0);
	fiber_chan_put(c);
}

static void holds_for_threads(void)
{
	run_shapes(FIBER_TEST_CLOCK, wait_in_thread);
}

/* It is of one run: the next begins with its own, and may have the real one. */
static void real_time(void)
{
	int64_t before = test_now();

	CHECK(fiber_now() >= before);
	CHECK(fiber_now() <= test_now());
	CHECK(fiber_after(-5) >= before);
	CHECK(fiber_after(HOUR) >= before + HOUR);
	CHECK_EQ(fiber_after(FIBER_FOREVER), FIBER_FOREVER);
}

static void ends_with_the_run(void)
{
	run_with(2, 0, real_time);
	run_with(2, FIBER_TEST_CLOCK, still);
	run_with(2, 0, real_time);
	run_with(2, FIBER_TEST_CLOCK, still);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(stands_still),
		TEST(hours_take_no_time),
		TEST(waits_for_whoever_works),
		TEST(waits_for_elements_on_their_way),
		TEST(holds_for_threads),
		TEST(ends_with_the_run),
	};

	return RUN(argc, argv, tests);
}
