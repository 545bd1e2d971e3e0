// SPDX-License-Identifier: MIT
/*
 * A pinned fiber stays on its thread, whatever it does and however much others
 * are moved about.
 */
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static atomic_int stop;
static _Thread_local int own;

static int move_about(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		fiber_yield();
	return 0;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* Every way of leaving a thread. */
static void leave(struct fiber_chan *chan, int i)
{
	char c = 0;

	switch (i % 4) {
	case 0:
		fiber_yield();
		break;
	case 1:
		CHECK_EQ(fiber_sleep(1000), 0);
		break;
	case 2:
		CHECK_EQ(runtime_join(runtime_spawn(nothing, NULL)), 0);
		break;
	case 3:
		CHECK_EQ(fiber_send(chan, &c), 0);
		break;
	}
}

static int receive(void *chan)
{
	while (fiber_recv(chan, NULL) == 0)
		;
	return 0;
}

static int stay(void *chan)
{
	pid_t thread;
	int i;

	fiber_pin();
	thread = gettid();
	for (i = 0; i < 200; i++) {
		leave(chan, i);
		CHECK_EQ(gettid(), thread);
	}
	fiber_unpin();
	return 0;
}

static int stay_among_others(void *arg)
{
	struct fiber *others[5];
	struct fiber *receiver;
	struct fiber_chan *chan;
	int i;

	(void)arg;
	atomic_store(&stop, 0);
	CHECK_EQ(fiber_chan_new(&chan, 1, 0, NULL), 0);
	receiver = runtime_spawn(receive, chan);
	for (i = 0; i < 5; i++)
		others[i] = runtime_spawn(move_about, NULL);
	runtime_spawn_and_join(5, stay, chan);
	atomic_store(&stop, 1);
	for (i = 0; i < 5; i++)
		CHECK_EQ(runtime_join(others[i]), 0);
	CHECK_EQ(fiber_chan_close(chan), 0);
	CHECK_EQ(runtime_join(receiver), 0);
	fiber_chan_put(chan);
	return 0;
}

static void pinned_stays(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, stay_among_others, NULL);
	runtime_run(4, FIBER_TEST_MIGRATE, stay_among_others, NULL);
	runtime_run(1, 0, stay_among_others, NULL);
	runtime_run(2, 0, stay_among_others, NULL);
}

static int nest(void *arg)
{
	pid_t thread;
	int i;

	(void)arg;
	fiber_pin();
	fiber_pin();
	fiber_pin();
	thread = gettid();
	fiber_unpin();
	fiber_unpin();
	for (i = 0; i < 20; i++) {
		fiber_yield();
		CHECK_EQ(gettid(), thread);
	}
	fiber_unpin();
	for (i = 0; i < 20; i++) {
		fiber_yield();
		CHECK(gettid() != thread);
		thread = gettid();
	}
	return 0;
}

static void as_often_unpinned_it_moves_again(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, nest, NULL);
}

/* Not inlined, or the address of the last time would be used again. */
__attribute__((noinline)) static void use_own_variable(int i)
{
	fiber_pin();
	own = i;
	leave(NULL, i % 3);
	CHECK_EQ(own, i);
	fiber_unpin();
}

static int count_on_own_variable(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 200; i++) {
		use_own_variable(i);
		fiber_yield();
	}
	return 0;
}

static void what_is_thread_local_stays(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, count_on_own_variable, NULL);
}

/* Both end pinned; whoever comes after on their stacks is not. */
static int end_pinned(void *arg)
{
	fiber_pin();
	if (arg)
		fiber_exit(0);
	return 0;
}

static int see_moving(void *arg)
{
	pid_t thread = gettid();

	(void)arg;
	fiber_yield();
	CHECK(gettid() != thread);
	return 0;
}

static int follow_pinned(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 20; i++) {
		CHECK_EQ(runtime_join(runtime_spawn(end_pinned, arg)), 0);
		CHECK_EQ(runtime_join(runtime_spawn(end_pinned, &stop)), 0);
		CHECK_EQ(runtime_join(runtime_spawn(see_moving, NULL)), 0);
	}
	return 0;
}

static void ends_with_the_fiber(void)
{
	runtime_run(2, FIBER_TEST_MIGRATE, follow_pinned, NULL);
}

static void threads_may(void)
{
	fiber_pin();
	fiber_unpin();
	runtime_start(1, 0);
	fiber_pin();
	CHECK_EQ(runtime_join(runtime_spawn(nothing, NULL)), 0);
	fiber_unpin();
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(pinned_stays),
		TEST(as_often_unpinned_it_moves_again),
		TEST(what_is_thread_local_stays),
		TEST(ends_with_the_fiber),
		TEST(threads_may),
	};

	return RUN(argc, argv, tests);
}
