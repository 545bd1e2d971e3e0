// SPDX-License-Identifier: MIT
/*
 * A worker that has nothing to do takes fibers from those that have.
 */
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 64

static atomic_int others;

static int work(void *thread)
{
	runtime_burn(RUNTIME_MS / 10);
	if (gettid() != *(const pid_t *)thread)
		atomic_fetch_add(&others, 1);
	return 0;
}

/* As often as it takes: the other worker may get no processor meanwhile. */
static int spawn_until_stolen(void *arg)
{
	pid_t thread;
	int i;

	(void)arg;
	atomic_store(&others, 0);
	for (i = 0; atomic_load(&others) == 0; i++) {
		thread = gettid();
		runtime_spawn_and_join(FIBERS, work, &thread);
	}
	CHECK(runtime_status().steals > 0);
	return 0;
}

static void fresh_ones(void)
{
	runtime_run(2, 0, spawn_until_stolen, NULL);
	runtime_run(4, 0, spawn_until_stolen, NULL);
}

static int wait_and_work(void *arg)
{
	struct fiber_chan *chan = arg;
	pid_t sender;

	CHECK_EQ(fiber_recv(chan, &sender), 0);
	return work(&sender);
}

/* All of them are woken by this one, and none is new. */
static int wake_until_stolen(void *arg)
{
	struct fiber *fibers[FIBERS];
	struct fiber_chan *chan;
	uint64_t steals;
	int i;

	(void)arg;
	CHECK_EQ(fiber_chan_new(&chan, sizeof(pid_t), 0, NULL), 0);
	atomic_store(&others, 0);
	do {
		for (i = 0; i < FIBERS; i++)
			fibers[i] = runtime_spawn(wait_and_work, chan);
		fiber_sleep(RUNTIME_MS);
		steals = runtime_status().steals;
		for (i = 0; i < FIBERS; i++) {
			pid_t thread = gettid();

			CHECK_EQ(fiber_send(chan, &thread), 0);
		}
		for (i = 0; i < FIBERS; i++)
			CHECK_EQ(runtime_join(fibers[i]), 0);
	} while (atomic_load(&others) == 0 ||
		 runtime_status().steals == steals);
	fiber_chan_put(chan);
	return 0;
}

static void woken_ones(void)
{
	runtime_run(2, 0, wake_until_stolen, NULL);
}

static int work_alone(void *arg)
{
	pid_t thread = gettid();

	(void)arg;
	runtime_spawn_and_join(FIBERS, work, &thread);
	CHECK_EQ(atomic_load(&others), 0);
	CHECK_EQ(runtime_status().steals, 0);
	return 0;
}

static void nothing_from_nobody(void)
{
	runtime_run(1, 0, work_alone, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(fresh_ones),
		TEST(woken_ones),
		TEST(nothing_from_nobody),
	};

	return RUN(argc, argv, tests);
}
