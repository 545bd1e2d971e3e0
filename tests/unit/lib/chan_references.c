// SPDX-License-Identifier: MIT
/*
 * A channel lives as long as a reference to it, and whoever gives up the last
 * one while somebody waits in it is told so.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fibers.h"

static void get_and_put(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 2);

	CHECK(fiber_chan_get(c) == c);
	CHECK(fiber_chan_get(c) == c);
	send_int(c, 1);
	fiber_chan_put(c);
	fiber_chan_put(c);
	CHECK_EQ(recv_int(c), 1);
	fiber_chan_put(c);
}

static void each_is_given_back(void)
{
	run_shapes(0, get_and_put);
}

/* The sanitizer says what stays behind. */
static void leave_elements(void)
{
	static const size_t sizes[] = { 0, 1, 8, 128, 129, 4096, 100000 };
	static char elem[100000];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct fiber_chan *c = new_chan(sizes[i], 10);

		for (int k = 0; k < 7; k++)
			CHECK_EQ(fiber_send(c, elem), 0);
		CHECK_EQ(fiber_recv(c, elem), 0);
		if (i % 2)
			CHECK_EQ(fiber_chan_close(c), 0);
		fiber_chan_put(c);
	}
}

static void elements_go_with_it(void)
{
	run_shapes(0, leave_elements);
}

static int send_and_put(void *c)
{
	send_int(c, 5);
	fiber_chan_put(c);
	return 0;
}

static int receive_and_put(void *c)
{
	CHECK_EQ(recv_int(c), 5);
	fiber_chan_put(c);
	return 0;
}

/* Either may be the last, right after the other made it go on. */
static void meet_and_part(void)
{
	for (int i = 0; i < ROUNDS(3000); i++) {
		struct fiber_chan *c = new_chan(sizeof(int), i % 2);
		struct fiber *sender = spawn(send_and_put, fiber_chan_get(c));
		struct fiber *receiver = spawn(receive_and_put, c);

		CHECK_EQ(join(sender), 0);
		CHECK_EQ(join(receiver), 0);
	}
}

static void last_one_after_a_meeting(void)
{
	run_shapes(0, meet_and_part);
}

static int close_and_put(void *c)
{
	CHECK_EQ(fiber_chan_close(c), 0);
	fiber_chan_put(c);
	return 0;
}

static int see_close_and_put(void *c)
{
	CHECK_EQ(fiber_recv(c, NULL), -EPIPE);
	fiber_chan_put(c);
	return 0;
}

static int select_close_and_put(void *c)
{
	struct fiber_case cases[] = {
		{ .chan = c, .op = FIBER_RECV },
		{ .chan = c, .op = FIBER_RECV },
	};

	CHECK(fiber_select(cases, 2, 0) >= 0);
	fiber_chan_put(c);
	return 0;
}

static void close_and_part(void)
{
	for (int i = 0; i < ROUNDS(1000); i++) {
		struct fiber_chan *c = new_chan(sizeof(int), i % 2);
		struct fiber *fibers[5];

		for (int k = 0; k < 4; k++) {
			fibers[k] = spawn(k % 2 ? select_close_and_put :
						  see_close_and_put,
					  fiber_chan_get(c));
		}
		fibers[4] = spawn(close_and_put, c);
		for (int k = 0; k < 5; k++)
			CHECK_EQ(join(fibers[k]), 0);
	}
}

static void last_one_after_a_close(void)
{
	run_shapes(0, close_and_part);
}

static int get_use_put(void *arg)
{
	struct fiber_chan *c = *(struct fiber_chan **)arg;
	int value = 1;

	for (int i = 0; i < ROUNDS(2000); i++) {
		fiber_chan_get(c);
		if (fiber_try_send(c, &value))
			fiber_try_recv(c, &value);
		fiber_chan_put(c);
		if (i % 64 == 0)
			fiber_yield();
	}
	fiber_chan_put(c);
	return 0;
}

static void crowd(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 3);
	struct fiber_chan *args[8];

	for (int i = 0; i < 8; i++)
		args[i] = fiber_chan_get(c);
	fiber_chan_put(c);
	run_all(8, get_use_put, args, sizeof(args[0]));
}

static void counted_in_a_crowd(void)
{
	run_shapes(0, crowd);
}

/*
 * Giving up the last reference under somebody who waits.
 */
static int wait_to_receive(void *c)
{
	return fiber_recv(c, NULL);
}

static int wait_to_send(void *c)
{
	int value = 1;

	return fiber_send(c, &value);
}

static int wait_until(void *c)
{
	return fiber_recv_until(c, NULL, fiber_after(HOUR));
}

static int wait_in_select(void *c)
{
	struct fiber_chan *other = new_chan(sizeof(int), 0);
	struct fiber_case cases[] = {
		{ .chan = other, .op = FIBER_RECV },
		{ .chan = c, .op = FIBER_RECV },
	};

	return fiber_select(cases, 2, 0);
}

static int (*wait_fn)(void *);

static void leave_it_waiting(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);

	spawn(wait_fn, c);
	settle();
	fiber_chan_put(c);
}

static void leave_fiber(void *arg)
{
	(void)arg;
	run_with(2, FIBER_TEST_CLOCK, leave_it_waiting);
}

static _Atomic bool about_to_wait;

static void *wait_in_thread(void *c)
{
	about_to_wait = true;
	fiber_recv(c, NULL);
	return NULL;
}

static void leave_thread(void *arg)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);
	pthread_t thread;

	(void)arg;
	CHECK_EQ(pthread_create(&thread, NULL, wait_in_thread, c), 0);
	/* That it waits cannot be seen, only that it is about to. */
	while (!about_to_wait)
		usleep(1000);
	usleep(200000);
	fiber_chan_put(c);
}

static void check_death(int (*fn)(void *))
{
	char said[4096];

	wait_fn = fn;
	CHECK_EQ(test_death(leave_fiber, NULL, said, sizeof(said)), SIGABRT);
	CHECK_IN(said, "chan");
}

static void under_a_receiver(void)
{
	check_death(wait_to_receive);
	check_death(wait_until);
}

static void under_a_sender(void)
{
	check_death(wait_to_send);
}

static void under_a_select(void)
{
	check_death(wait_in_select);
}

static void under_a_thread(void)
{
	char said[4096];

	CHECK_EQ(test_death(leave_thread, NULL, said, sizeof(said)), SIGABRT);
	CHECK_IN(said, "chan");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(each_is_given_back),	TEST(elements_go_with_it),
		TEST(last_one_after_a_meeting), TEST(last_one_after_a_close),
		TEST(counted_in_a_crowd),	TEST(under_a_receiver),
		TEST(under_a_sender),		TEST(under_a_select),
		TEST(under_a_thread),
	};

	return RUN(argc, argv, tests);
}
