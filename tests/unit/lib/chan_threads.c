// SPDX-License-Identifier: MIT
/*
 * Plain threads use channels as fibers do, with fibers and with each other.
 *
 * A fiber that waits for the end of a thread keeps its worker; so that is only
 * done when the thread needs no fiber any more.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"

#define EACH ROUNDS(1000)

static const size_t capacities[] = { 0, 1, 8 };
static struct fiber_chan *chan;

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

static void *thread_receives(void *c)
{
	CHECK(!fiber_self());
	for (int i = 0; i < EACH; i++)
		CHECK_EQ(recv_int(c), i);
	return NULL;
}

static void *thread_sends(void *c)
{
	for (int i = 0; i < EACH; i++)
		send_int(c, i);
	return NULL;
}

static void to_thread(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(capacities); k++) {
		struct fiber_chan *c = new_chan(sizeof(int), capacities[k]);
		pthread_t thread = start(thread_receives, c);

		for (int i = 0; i < EACH; i++)
			send_int(c, i);
		finish(thread);
		check_idle(c);
		fiber_chan_put(c);
	}
}

static void from_thread(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(capacities); k++) {
		struct fiber_chan *c = new_chan(sizeof(int), capacities[k]);
		pthread_t thread = start(thread_sends, c);

		for (int i = 0; i < EACH; i++)
			CHECK_EQ(recv_int(c), i);
		finish(thread);
		check_idle(c);
		fiber_chan_put(c);
	}
}

static void between_threads(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(capacities); k++) {
		struct fiber_chan *c = new_chan(sizeof(int), capacities[k]);
		pthread_t sender = start(thread_sends, c);
		pthread_t receiver = start(thread_receives, c);

		finish(sender);
		finish(receiver);
		check_idle(c);
		fiber_chan_put(c);
	}
}

static void fiber_to_thread(void)
{
	run_shapes(0, to_thread);
}

static void thread_to_fiber(void)
{
	run_shapes(0, from_thread);
}

static void thread_to_thread(void)
{
	run_shapes(0, between_threads);
}

/* No fiber and no fiber_run(): the first call starts what it needs. */
static void thread_to_thread_alone(void)
{
	between_threads();
}

struct pair {
	struct fiber_chan *there;
	struct fiber_chan *back;
};

static void *bounce(void *arg)
{
	struct pair *pair = arg;
	int value;

	while (fiber_recv(pair->there, &value) == 0) {
		value++;
		CHECK_EQ(fiber_send(pair->back, &value), 0);
	}
	return NULL;
}

static void there_and_back(void)
{
	struct pair pair = { new_chan(4, 0), new_chan(4, 0) };
	pthread_t thread = start(bounce, &pair);

	for (int i = 0; i < EACH; i++) {
		send_int(pair.there, i);
		CHECK_EQ(recv_int(pair.back), i + 1);
	}
	CHECK_EQ(fiber_chan_close(pair.there), 0);
	finish(thread);
	fiber_chan_put(pair.there);
	fiber_chan_put(pair.back);
}

static void to_and_fro(void)
{
	run_shapes(0, there_and_back);
}

/* A crowd of both on both sides. */
struct count {
	long n;
	long sum;
};

static void *send_some(void *arg)
{
	struct count *count = arg;

	for (int i = 0; i < EACH; i++) {
		send_int(chan, i);
		count->sum += i;
	}
	count->n += EACH;
	return NULL;
}

static int fiber_sends(void *arg)
{
	send_some(arg);
	return 0;
}

static void *receive_all(void *arg)
{
	struct count *count = arg;
	int value;

	while (fiber_recv(chan, &value) == 0) {
		count->n++;
		count->sum += value;
	}
	return NULL;
}

static int fiber_receives(void *arg)
{
	receive_all(arg);
	return 0;
}

static void mixed(size_t capacity)
{
	struct count sent[4] = { { 0 } }, received[4] = { { 0 } };
	struct count total = { 0 };
	struct fiber *fibers[4];
	pthread_t threads[4];

	chan = new_chan(sizeof(int), capacity);
	for (int i = 0; i < 2; i++) {
		fibers[i] = spawn(fiber_sends, &sent[i]);
		threads[i] = start(send_some, &sent[2 + i]);
		fibers[2 + i] = spawn(fiber_receives, &received[i]);
		threads[2 + i] = start(receive_all, &received[2 + i]);
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQ(join(fibers[i]), 0);
	/* Threads still receive; they alone can finish the threads that send. */
	for (int i = 0; i < 2; i++)
		finish(threads[i]);
	CHECK_EQ(fiber_chan_close(chan), 0);
	for (int i = 2; i < 4; i++) {
		CHECK_EQ(join(fibers[i]), 0);
		finish(threads[i]);
	}
	for (int i = 0; i < 4; i++) {
		total.n += sent[i].n - received[i].n;
		total.sum += sent[i].sum - received[i].sum;
	}
	CHECK_EQ(total.n, 0);
	CHECK_EQ(total.sum, 0);
	fiber_chan_put(chan);
}

static void mixed_capacities(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(capacities); i++)
		mixed(capacities[i]);
}

static void both_on_both_sides(void)
{
	run_with(2, 0, mixed_capacities);
	run_with(4, FIBER_TEST_MIGRATE, mixed_capacities);
}

/* Each of these ends in a close. */
static void *see_close(void *c)
{
	CHECK_EQ(fiber_recv(c, NULL), -EPIPE);
	return NULL;
}

static void *see_close_sending(void *c)
{
	int value = 1;

	CHECK_EQ(fiber_send(c, &value), -EPIPE);
	return NULL;
}

static void close_under_threads(void)
{
	for (int i = 0; i < 20; i++) {
		struct fiber_chan *c = new_chan(sizeof(int), 0);
		pthread_t threads[4];

		for (int k = 0; k < 4; k++)
			threads[k] =
				start(i % 2 ? see_close : see_close_sending, c);
		if (i % 4 < 2)
			settle();
		CHECK_EQ(fiber_chan_close(c), 0);
		for (int k = 0; k < 4; k++)
			finish(threads[k]);
		fiber_chan_put(c);
	}
}

static void threads_are_told_of_a_close(void)
{
	run_shapes(0, close_under_threads);
}

static void *use_deadlines(void *arg)
{
	struct fiber_chan *c = new_chan(sizeof(int), 1);
	int value = 0;

	(void)arg;
	CHECK_EQ(fiber_recv_until(c, &value, 0), -ETIMEDOUT);
	CHECK_EQ(fiber_try_recv(c, &value), -EAGAIN);
	for (int i = 0; i < 5; i++) {
		int64_t at = fiber_after(i * MSEC);

		CHECK_EQ(fiber_recv_until(c, &value, at), -ETIMEDOUT);
		CHECK(fiber_now() >= at);
		CHECK_EQ(fiber_send_until(c, &value, at), 0);
		at = fiber_after(i * MSEC);
		CHECK_EQ(fiber_send_until(c, &value, at), -ETIMEDOUT);
		CHECK(fiber_now() >= at);
		CHECK_EQ(fiber_recv_until(c, &value, fiber_after(HOUR)), 0);
	}
	CHECK_EQ(fiber_try_send(c, &value), 0);
	CHECK_EQ(fiber_try_send(c, &value), -EAGAIN);
	fiber_chan_put(c);
	return NULL;
}

static void deadlines(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		threads[i] = start(use_deadlines, NULL);
	for (int i = 0; i < 3; i++)
		finish(threads[i]);
}

static void threads_have_deadlines(void)
{
	run_shapes(0, deadlines);
}

static void threads_have_deadlines_alone(void)
{
	deadlines();
}

/* A thread is neither cancelled nor a fiber. */
static void *ask_about_cancel(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancelled(), 0);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_cancel_mask(0), 0);
	CHECK(!fiber_self());
	return NULL;
}

static void *come_and_go(void *c)
{
	ask_about_cancel(NULL);
	send_int(c, 1);
	return NULL;
}

/* What the library keeps for each is given back when it ends. */
static void short_lives(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);

	for (int i = 0; i < 50; i++) {
		pthread_t threads[4];

		for (int k = 0; k < 4; k++)
			threads[k] = start(come_and_go, c);
		for (int k = 0; k < 4; k++)
			CHECK_EQ(recv_int(c), 1);
		for (int k = 0; k < 4; k++)
			finish(threads[k]);
	}
	check_idle(c);
	fiber_chan_put(c);
}

static void threads_come_and_go(void)
{
	run_shapes(0, short_lives);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(fiber_to_thread),
		TEST(thread_to_fiber),
		TEST(thread_to_thread),
		TEST(thread_to_thread_alone),
		TEST(to_and_fro),
		TEST(both_on_both_sides),
		TEST(threads_are_told_of_a_close),
		TEST(threads_have_deadlines),
		TEST(threads_have_deadlines_alone),
		TEST(threads_come_and_go),
	};

	return RUN(argc, argv, tests);
}
