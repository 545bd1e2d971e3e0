// SPDX-License-Identifier: MIT
/*
 * A fiber that computes on and on does not keep others from what they have to
 * do: another worker does it, or, where there is none, it is done at the latest
 * in the next call of the library.
 */
#include <errno.h>

#include "harness.h"
#include "runtime.h"

static atomic_int done;

static int sleep_often(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 10; i++)
		CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	atomic_fetch_add(&done, 1);
	return 0;
}

static int tick(void *arg)
{
	struct fiber_timer *timer;
	int i;

	(void)arg;
	CHECK_EQ(fiber_timer_new(&timer, fiber_after(RUNTIME_MS), RUNTIME_MS),
		 0);
	for (i = 0; i < 10; i++)
		CHECK_EQ(fiber_recv(fiber_timer_chan(timer), NULL), 0);
	fiber_timer_free(timer);
	atomic_fetch_add(&done, 1);
	return 0;
}

static int time_out(void *arg)
{
	struct fiber_chan *chan;
	int i;

	(void)arg;
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	for (i = 0; i < 10; i++)
		CHECK_EQ(fiber_recv_until(chan, NULL, fiber_after(RUNTIME_MS)),
			 -ETIMEDOUT);
	fiber_chan_put(chan);
	atomic_fetch_add(&done, 1);
	return 0;
}

static int hog_beside(void *arg)
{
	static int (*const fns[])(void *) = { sleep_often, tick, time_out };
	struct fiber *fibers[9];
	int i;

	(void)arg;
	atomic_store(&done, 0);
	for (i = 0; i < 9; i++)
		fibers[i] = runtime_spawn(fns[i % 3], NULL);
	/* Some of them have this worker to thank for their timers. */
	fiber_yield();
	while (atomic_load(&done) < 9)
		;
	for (i = 0; i < 9; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	return 0;
}

static void timers_on_two_workers(void)
{
	int i;

	for (i = 0; i < 5; i++)
		runtime_run(2, 0, hog_beside, NULL);
}

static int sleep_once(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(2 * RUNTIME_MS), 0);
	atomic_store(&done, 1);
	return 0;
}

static int yield_once(void *arg)
{
	(void)arg;
	fiber_yield();
	atomic_store(&done, 1);
	return 0;
}

static void try_to_receive(struct fiber_chan *chan)
{
	CHECK_EQ(fiber_try_recv(chan, NULL), -EAGAIN);
}

static void try_to_send(struct fiber_chan *chan)
{
	CHECK_EQ(fiber_try_send(chan, NULL), -EAGAIN);
}

/* Each succeeds at once, and never has to wait. */
static void send_and_receive(struct fiber_chan *chan)
{
	CHECK_EQ(fiber_send(chan, NULL), 0);
	CHECK_EQ(fiber_recv(chan, NULL), 0);
}

static void try_to_select(struct fiber_chan *chan)
{
	struct fiber_case one = { .chan = chan, .op = FIBER_RECV };

	CHECK_EQ(fiber_try_select(&one, 1, 0), -EAGAIN);
}

static void sleep_not_at_all(struct fiber_chan *chan)
{
	(void)chan;
	CHECK_EQ(fiber_sleep_until(0), 0);
}

struct loop {
	void (*call)(struct fiber_chan *chan);
	size_t capacity;
	int (*other)(void *);
};

/* One worker: nobody else can run the other fiber. */
static int hog_with_calls(void *arg)
{
	const struct loop *loop = arg;
	struct fiber_chan *chan;
	struct fiber *fiber;

	CHECK_EQ(fiber_chan_new(&chan, 0, loop->capacity, NULL), 0);
	atomic_store(&done, 0);
	fiber = runtime_spawn(loop->other, NULL);
	/* It sleeps, or is in the queue. */
	fiber_yield();
	runtime_burn(5 * RUNTIME_MS);
	while (!atomic_load(&done))
		loop->call(chan);
	CHECK_EQ(runtime_join(fiber), 0);
	fiber_chan_put(chan);
	return 0;
}

static void check_loop(void (*call)(struct fiber_chan *chan), size_t capacity)
{
	struct loop loop = { .call = call, .capacity = capacity };

	loop.other = sleep_once;
	runtime_run(1, 0, hog_with_calls, &loop);
	loop.other = yield_once;
	runtime_run(1, 0, hog_with_calls, &loop);
}

static void one_worker_trying_to_receive(void)
{
	check_loop(try_to_receive, 0);
}

static void one_worker_trying_to_send(void)
{
	check_loop(try_to_send, 0);
}

static void one_worker_trying_to_select(void)
{
	check_loop(try_to_select, 0);
}

static void one_worker_sending_to_itself(void)
{
	check_loop(send_and_receive, 1);
}

static void one_worker_sleeping_not_at_all(void)
{
	check_loop(sleep_not_at_all, 0);
}

/* What is due has happened before the call looks. */
static int look_at_timer(void *arg)
{
	struct fiber_timer *timer;
	int64_t at = fiber_after(2 * RUNTIME_MS);
	int64_t t = 0;
	int calls = 1;

	(void)arg;
	CHECK_EQ(fiber_timer_new(&timer, at, 0), 0);
	runtime_burn(10 * RUNTIME_MS);
	while (fiber_try_recv(fiber_timer_chan(timer), &t) == -EAGAIN)
		calls++;
	test_note("it took %d calls", calls);
	CHECK(t >= at);
	fiber_timer_free(timer);
	return 0;
}

static void own_timer_on_one_worker(void)
{
	runtime_run(1, 0, look_at_timer, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(timers_on_two_workers),
		TEST(one_worker_trying_to_receive),
		TEST(one_worker_trying_to_send),
		TEST(one_worker_trying_to_select),
		TEST(one_worker_sending_to_itself),
		TEST(one_worker_sleeping_not_at_all),
		TEST(own_timer_on_one_worker),
	};

	return RUN(argc, argv, tests);
}
