// SPDX-License-Identifier: MIT
/*
 * Threads of the program use the runtime side by side, come and go, and are
 * none of its own.
 */
#include <errno.h>
#include <pthread.h>

#include "harness.h"
#include "runtime.h"

#define THREADS 24
#define CALLS RUNTIME_TIMES(200)

struct request {
	int number;
	struct fiber_chan *reply;
};

static struct fiber_chan *requests;
static fiber_key key;

static int square(void *arg)
{
	int n = (int)(intptr_t)arg;

	return n * n;
}

static int serve(void *arg)
{
	struct request request;

	(void)arg;
	while (fiber_recv(requests, &request) == 0) {
		request.number *= request.number;
		CHECK_EQ(fiber_send(request.reply, &request.number), 0);
	}
	return 0;
}

static void *make_requests(void *arg)
{
	struct request request;
	int i, answer;

	CHECK_EQ(fiber_chan_new(&request.reply, sizeof(int), 0, NULL), 0);
	CHECK(!fiber_key_get(key));
	CHECK_EQ(fiber_key_set(key, arg), 0);
	for (i = 0; i < CALLS; i++) {
		request.number = i;
		CHECK_EQ(fiber_send(requests, &request), 0);
		CHECK_EQ(fiber_recv(request.reply, &answer), 0);
		CHECK_EQ(answer, i * i);
		CHECK_EQ(runtime_join(
				 runtime_spawn(square, (void *)(intptr_t)i)),
			 i * i);
		CHECK(fiber_key_get(key) == arg);
		CHECK(!fiber_self());
	}
	fiber_chan_put(request.reply);
	return NULL;
}

static void in_threads(int n, void *(*fn)(void *))
{
	pthread_t threads[THREADS];
	intptr_t i;

	for (i = 0; i < n; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, fn, (void *)(i + 1)),
			 0);
	for (i = 0; i < n; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void two_dozen(void)
{
	struct fiber *servers[4];
	unsigned int threads;
	int i;

	CHECK_EQ(fiber_key_add(&key, NULL), 0);
	runtime_start(2, 0);
	threads = runtime_status().threads;
	CHECK_EQ(fiber_chan_new(&requests, sizeof(struct request), 0, NULL), 0);
	for (i = 0; i < 4; i++)
		servers[i] = runtime_spawn(serve, NULL);
	in_threads(THREADS, make_requests);
	CHECK_EQ(runtime_status().workers, 2);
	CHECK(runtime_status().threads >= 2);
	test_note("%u threads at first, %u later", threads,
		  runtime_status().threads);
	CHECK_EQ(fiber_chan_close(requests), 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(runtime_join(servers[i]), 0);
	fiber_chan_put(requests);
	runtime_stop();
}

static void *spawn_one(void *arg)
{
	CHECK_EQ(runtime_join(runtime_spawn(square, arg)), square((void *)arg));
	return NULL;
}

static void one_after_another(void)
{
	int i;

	runtime_start(1, 0);
	for (i = 0; i < RUNTIME_TIMES(1000); i++)
		runtime_in_thread(spawn_one, (void *)(intptr_t)i);
	CHECK_EQ(runtime_status().fibers, 0);
	runtime_stop();
}

static void *detach(void *arg)
{
	int i;

	/* Also if nothing is kept. */
	CHECK_EQ(fiber_thread_detach(), 0);
	for (i = 0; i < 3; i++) {
		spawn_one(arg);
		CHECK_EQ(fiber_sleep(1000), 0);
		CHECK_EQ(fiber_thread_detach(), 0);
		CHECK_EQ(fiber_thread_detach(), 0);
	}
	return NULL;
}

static int detach_fiber(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_thread_detach(), -EPERM);
	return 0;
}

static void may_say_goodbye(void)
{
	CHECK_EQ(fiber_thread_detach(), 0);
	runtime_start(2, 0);
	in_threads(8, detach);
	CHECK_EQ(runtime_join(runtime_spawn(detach_fiber, NULL)), 0);
	CHECK_EQ(fiber_thread_detach(), 0);
	runtime_stop();
	CHECK_EQ(fiber_thread_detach(), 0);
}

/* Nobody waits for them: they end while fibers run, or after. */
static void *spawn_and_leave(void *arg)
{
	int i;

	for (i = 0; i < 10; i++)
		fiber_put(runtime_spawn(square, arg));
	return NULL;
}

static void may_leave_fibers_behind(void)
{
	runtime_start(2, 0);
	in_threads(THREADS, spawn_and_leave);
	runtime_stop();
}

/* The same thread in one runtime and the next. */
static void live_longer_than_a_runtime(void)
{
	int i;

	for (i = 0; i < 10; i++) {
		runtime_start(1 + i % 3, 0);
		spawn_one((void *)3);
		CHECK_EQ(fiber_sleep(1000), 0);
		runtime_stop();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(two_dozen),
		TEST(one_after_another),
		TEST(may_say_goodbye),
		TEST(may_leave_fibers_behind),
		TEST(live_longer_than_a_runtime),
	};

	return RUN(argc, argv, tests);
}
