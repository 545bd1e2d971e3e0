// SPDX-License-Identifier: MIT
/*
 * The first call that needs the runtime starts it; the thread that made it is
 * no worker.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static atomic_int ran;

static void run_once(void *thread)
{
	CHECK(gettid() != *(const pid_t *)thread);
	CHECK(fiber_self());
	atomic_fetch_add(&ran, 1);
}

static int run_and_return(void *thread)
{
	run_once(thread);
	return 42;
}

static void check_not_running(void)
{
	struct fiber_status status = { .size = sizeof(status) };

	CHECK_EQ(fiber_status(&status), -EPERM);
}

static void by_go(void)
{
	pid_t thread = gettid();

	check_not_running();
	CHECK_EQ(fiber_go(run_once, &thread), 0);
	/* Sleeping in the kernel: it is not this thread that runs it. */
	while (atomic_load(&ran) < 1)
		usleep(1000);
	CHECK(!fiber_self());
	CHECK(runtime_status().workers > 0);
	CHECK_EQ(fiber_run(run_and_return, &thread, NULL), -EBUSY);
	CHECK_EQ(fiber_start(NULL), -EBUSY);
	runtime_stop();
	check_not_running();
}

static void by_spawn(void)
{
	pid_t thread = gettid();

	CHECK_EQ(runtime_join(runtime_spawn(run_and_return, &thread)), 42);
	CHECK(runtime_status().spawned >= 1);
	runtime_stop();
	/* And again. */
	CHECK_EQ(runtime_join(runtime_spawn(run_and_return, &thread)), 42);
	runtime_stop();
}

static void *spawn_in_thread(void *barrier)
{
	pid_t thread = gettid();

	pthread_barrier_wait(barrier);
	CHECK_EQ(runtime_join(runtime_spawn(run_and_return, &thread)), 42);
	return NULL;
}

static void by_many_at_once(void)
{
	pthread_barrier_t barrier;
	pthread_t threads[8];
	int round, i;

	pthread_barrier_init(&barrier, NULL, 8);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 8; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL,
						spawn_in_thread, &barrier),
				 0);
		for (i = 0; i < 8; i++)
			CHECK_EQ(pthread_join(threads[i], NULL), 0);
		CHECK_EQ(runtime_status().spawned, 8);
		runtime_stop();
	}
	pthread_barrier_destroy(&barrier);
}

static void send_and_receive(void)
{
	struct fiber_chan *chan;
	int i = 5;

	CHECK_EQ(fiber_chan_new(&chan, sizeof(i), 1, NULL), 0);
	CHECK_EQ(fiber_send(chan, &i), 0);
	i = 0;
	CHECK_EQ(fiber_recv(chan, &i), 0);
	CHECK_EQ(i, 5);
	CHECK_EQ(fiber_recv_until(chan, &i, fiber_after(RUNTIME_MS)),
		 -ETIMEDOUT);
	fiber_chan_put(chan);
}

/* Whether or not it takes a runtime. */
static void what_threads_do_among_themselves(void)
{
	int64_t t = fiber_after(2 * RUNTIME_MS);

	send_and_receive();
	CHECK_EQ(fiber_sleep_until(t), 0);
	CHECK(fiber_now() >= t);
	fiber_yield();
}

static void leave_running(void *arg)
{
	pid_t thread = gettid();

	(void)arg;
	CHECK_EQ(fiber_go(run_once, &thread), 0);
	while (atomic_load(&ran) < 1)
		usleep(1000);
	exit(0);
}

static void need_not_be_stopped(void)
{
	CHECK_EQ(runtime_in_child(leave_running, NULL), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(by_go),
		TEST(by_spawn),
		TEST(by_many_at_once),
		TEST(what_threads_do_among_themselves),
		TEST(need_not_be_stopped),
	};

	return RUN(argc, argv, tests);
}
