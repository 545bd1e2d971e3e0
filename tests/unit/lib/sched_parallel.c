// SPDX-License-Identifier: MIT
/*
 * As many fibers run at once as there are workers: each computes, without a
 * call of the library, until it sees all the others do so.
 */
#include "harness.h"
#include "runtime.h"

static atomic_int here;

static int meet(void *nr)
{
	int n = (int)(intptr_t)nr;

	atomic_fetch_add(&here, 1);
	while (atomic_load(&here) < n)
		;
	return 0;
}

static int meet_again(void *nr)
{
	int i;

	(void)nr;
	for (i = 1; i <= 20; i++) {
		runtime_spawn_and_join(2, meet, (void *)2);
		atomic_store(&here, 0);
	}
	return 0;
}

static int spawn_those_who_meet(void *nr)
{
	int n = (int)(intptr_t)nr;

	atomic_store(&here, 0);
	runtime_spawn_and_join(n, meet, nr);
	return 0;
}

static void two(void)
{
	runtime_run(2, 0, spawn_those_who_meet, (void *)2);
	runtime_run(2, FIBER_TEST_MIGRATE, spawn_those_who_meet, (void *)2);
}

static void more_than_there_may_be_processors(void)
{
	runtime_run(4, 0, spawn_those_who_meet, (void *)4);
	runtime_run(8, 0, spawn_those_who_meet, (void *)8);
}

static void again_and_again(void)
{
	runtime_run(2, 0, meet_again, NULL);
}

/* They come out of a wait, not fresh. */
static int sleep_and_meet(void *nr)
{
	fiber_sleep(RUNTIME_MS);
	return meet(nr);
}

static int spawn_those_who_sleep(void *arg)
{
	(void)arg;
	atomic_store(&here, 0);
	runtime_spawn_and_join(2, sleep_and_meet, (void *)2);
	return 0;
}

static void after_a_wait(void)
{
	int i;

	for (i = 0; i < 5; i++)
		runtime_run(2, 0, spawn_those_who_sleep, NULL);
}

/* Both were made ready by one, in one go. */
static int receive_and_meet(void *chan)
{
	CHECK(fiber_recv(chan, NULL) < 0);
	return meet((void *)2);
}

static int wake_those_who_meet(void *arg)
{
	struct fiber *fibers[2];
	struct fiber_chan *chan;
	int i;

	(void)arg;
	for (i = 0; i < 20; i++) {
		atomic_store(&here, 0);
		CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
		fibers[0] = runtime_spawn(receive_and_meet, chan);
		fibers[1] = runtime_spawn(receive_and_meet, chan);
		fiber_sleep(RUNTIME_MS);
		CHECK_EQ(fiber_chan_close(chan), 0);
		CHECK_EQ(runtime_join(fibers[0]), 0);
		CHECK_EQ(runtime_join(fibers[1]), 0);
		fiber_chan_put(chan);
	}
	return 0;
}

static void woken_by_one(void)
{
	runtime_run(2, 0, wake_those_who_meet, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(two),
		TEST(more_than_there_may_be_processors),
		TEST(again_and_again),
		TEST(after_a_wait),
		TEST(woken_by_one),
	};

	return RUN(argc, argv, tests);
}
