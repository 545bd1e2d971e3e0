// SPDX-License-Identifier: MIT
/*
 * Plain threads select as fibers do.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"

#define CHANNELS 5
#define EACH ROUNDS(1000)

static struct fiber_chan *chans[CHANNELS];
static long sum;

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, fn, arg), 0);
	return thread;
}

static void finish(pthread_t thread)
{
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void set_up(void)
{
	sum = 0;
	for (int i = 0; i < CHANNELS; i++)
		chans[i] = new_chan(sizeof(int), i % 3);
}

static void tear_down(void)
{
	for (int i = 0; i < CHANNELS; i++)
		fiber_chan_put(chans[i]);
}

/* From all until all are closed. */
static void *receive_from_all(void *arg)
{
	struct fiber_case cases[CHANNELS];
	int value = 0, left = CHANNELS;

	(void)arg;
	for (int i = 0; i < CHANNELS; i++)
		cases[i] =
			(struct fiber_case){ chans[i], &value, FIBER_RECV, 0 };
	while (left) {
		int at = fiber_select(cases, CHANNELS, 0);

		CHECK(at >= 0 && at < CHANNELS);
		if (cases[at].result == 0) {
			sum += value;
			continue;
		}
		CHECK_EQ(cases[at].result, -EPIPE);
		cases[at].chan = NULL;
		left--;
	}
	return NULL;
}

static int send_each(void *number)
{
	for (int i = 1; i <= EACH; i++)
		send_int(chans[*(int *)number], i);
	CHECK_EQ(fiber_chan_close(chans[*(int *)number]), 0);
	return 0;
}

static void thread_selects(void)
{
	int numbers[CHANNELS] = { 0, 1, 2, 3, 4 };
	pthread_t thread;

	set_up();
	thread = start(receive_from_all, NULL);
	run_all(CHANNELS, send_each, numbers, sizeof(int));
	finish(thread);
	CHECK_EQ(sum, CHANNELS * (EACH * (EACH + 1l) / 2));
	tear_down();
}

static void from_fibers(void)
{
	run_shapes(0, thread_selects);
}

static void *thread_sends_each(void *number)
{
	send_each(number);
	return NULL;
}

static void threads_only(void)
{
	int numbers[CHANNELS] = { 0, 1, 2, 3, 4 };
	pthread_t threads[CHANNELS + 1];

	set_up();
	for (int i = 0; i < CHANNELS; i++)
		threads[i] = start(thread_sends_each, &numbers[i]);
	threads[CHANNELS] = start(receive_from_all, NULL);
	for (int i = 0; i <= CHANNELS; i++)
		finish(threads[i]);
	CHECK_EQ(sum, CHANNELS * (EACH * (EACH + 1l) / 2));
	tear_down();
}

static void from_threads(void)
{
	run_shapes(0, threads_only);
}

static void from_threads_alone(void)
{
	threads_only();
}

/* Select against select, a thread on either side and a fiber on either. */
static void *select_to_all(void *arg)
{
	struct fiber_case cases[CHANNELS];
	int value = 0;

	(void)arg;
	for (int i = 0; i < CHANNELS; i++)
		cases[i] =
			(struct fiber_case){ chans[i], &value, FIBER_SEND, 0 };
	for (value = 1; value <= EACH; value++) {
		int at = fiber_select(cases, CHANNELS, 0);

		CHECK(at >= 0 && at < CHANNELS);
		CHECK_EQ(cases[at].result, 0);
	}
	return NULL;
}

static int fiber_selects_to_all(void *arg)
{
	select_to_all(arg);
	return 0;
}

static void both_select(void)
{
	struct fiber *fiber;
	pthread_t threads[2];

	set_up();
	threads[0] = start(receive_from_all, NULL);
	threads[1] = start(select_to_all, NULL);
	fiber = spawn(fiber_selects_to_all, NULL);
	CHECK_EQ(join(fiber), 0);
	finish(threads[1]);
	for (int i = 0; i < CHANNELS; i++)
		CHECK_EQ(fiber_chan_close(chans[i]), 0);
	finish(threads[0]);
	CHECK_EQ(sum, EACH * (EACH + 1l));
	tear_down();
}

static void select_meets_select(void)
{
	run_shapes(0, both_select);
}

static void *select_in_time(void *arg)
{
	int value = 0;
	struct fiber_case cases[] = {
		{ .chan = chans[0], .elem = &value, .op = FIBER_RECV },
		{ .chan = NULL, .op = FIBER_RECV },
		{ .chan = chans[0], .elem = &value, .op = FIBER_RECV },
	};

	(void)arg;
	CHECK_EQ(fiber_try_select(cases, 3, 0), -EAGAIN);
	CHECK_EQ(fiber_select_until(cases, 3, 0, 0), -ETIMEDOUT);
	for (int i = 0; i < 5; i++) {
		int64_t at = fiber_after(i * MSEC);

		CHECK_EQ(fiber_select_until(cases, 3, 0, at), -ETIMEDOUT);
		CHECK(fiber_now() >= at);
		at = fiber_after(i * MSEC);
		CHECK_EQ(fiber_select_until(NULL, 0, 0, at), -ETIMEDOUT);
		CHECK(fiber_now() >= at);
	}
	return NULL;
}

static void in_time(void)
{
	set_up();
	finish(start(select_in_time, NULL));
	check_idle(chans[0]);
	tear_down();
}

static void threads_have_deadlines(void)
{
	run_shapes(0, in_time);
	in_time();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(from_fibers),
		TEST(from_threads),
		TEST(from_threads_alone),
		TEST(select_meets_select),
		TEST(threads_have_deadlines),
	};

	return RUN(argc, argv, tests);
}
