// SPDX-License-Identifier: MIT
/*
 * Threads that run no fibers have deadlines too.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"
#include "runtime.h"

static struct fiber_chan *chan;

static void *wait_in_thread(void *arg)
{
	int64_t start = fiber_now();
	int value = 4;
	struct fiber_case cases[] = {
		{ .chan = chan, .elem = &value, .op = FIBER_RECV },
	};

	(void)arg;
	CHECK_EQ(fiber_deadline(), FIBER_FOREVER);
	CHECK_EQ(fiber_deadline_push(start + 300 * MSEC), FIBER_FOREVER);
	CHECK_EQ(fiber_deadline_push(HOUR + start), start + 300 * MSEC);
	CHECK_EQ(fiber_sleep(MSEC), 0);
	CHECK_EQ(fiber_recv(chan, &value), -ETIMEDOUT);
	CHECK(fiber_now() >= start + 300 * MSEC);
	CHECK_EQ(fiber_recv(chan, &value), -ETIMEDOUT);
	CHECK_EQ(fiber_recv_until(chan, &value, fiber_after(HOUR)), -ETIMEDOUT);
	CHECK_EQ(fiber_select(cases, 1, 0), -ETIMEDOUT);
	CHECK_EQ(fiber_sleep(HOUR), -ETIMEDOUT);
	CHECK_EQ(fiber_sleep(0), 0);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_sleep(MSEC), 0);
	/* It ends with one. */
	CHECK_EQ(fiber_deadline_push(0), FIBER_FOREVER);
	return NULL;
}

static void on_the_real_clock(void)
{
	runtime_start(1, 0);
	chan = new_chan(sizeof(int), 0);
	wait_in_thread(NULL);
	fiber_deadline_pop(FIBER_FOREVER);
	for (int i = 0; i < 10; i++)
		runtime_in_thread(wait_in_thread, NULL);
	check_idle(chan);
	fiber_chan_put(chan);
	CHECK_EQ(fiber_thread_detach(), 0);
	runtime_stop();
}

static void on_the_virtual_one(void)
{
	int64_t start;
	int value;

	runtime_start(2, FIBER_TEST_CLOCK);
	chan = new_chan(sizeof(int), 0);
	start = fiber_now();
	CHECK_EQ(fiber_deadline_push(start + HOUR), FIBER_FOREVER);
	CHECK_EQ(fiber_recv(chan, &value), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + HOUR);
	CHECK_EQ(fiber_recv(chan, &value), -ETIMEDOUT);
	CHECK_EQ(fiber_sleep(1), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), start + HOUR);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_sleep(HOUR), 0);
	CHECK_EQ(fiber_now(), start + 2 * HOUR);
	fiber_chan_put(chan);
	runtime_stop();
}

/* Not even a runtime is needed for that. */
static void without_a_runtime(void)
{
	int64_t at = fiber_after(2 * MSEC);

	CHECK_EQ(fiber_deadline_push(at), FIBER_FOREVER);
	CHECK_EQ(fiber_sleep(HOUR), -ETIMEDOUT);
	CHECK(fiber_now() >= at);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_thread_detach(), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(on_the_real_clock),
		TEST(on_the_virtual_one),
		TEST(without_a_runtime),
	};

	return RUN(argc, argv, tests);
}
