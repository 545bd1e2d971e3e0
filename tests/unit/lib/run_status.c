// SPDX-License-Identifier: MIT
/*
 * The status counts what there is and what there was.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 500

static atomic_int gate;

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int wait_for_gate(void *arg)
{
	(void)arg;
	runtime_await(&gate, 1);
	return 0;
}

static int count_fibers(void *arg)
{
	uint64_t spawned = runtime_status().spawned;
	uint64_t dispatches = runtime_status().dispatches;
	struct fiber *fibers[FIBERS];
	int i;

	(void)arg;
	atomic_store(&gate, 0);
	CHECK_EQ(runtime_status().fibers, 1);
	for (i = 0; i < FIBERS; i++) {
		fibers[i] = runtime_spawn(wait_for_gate, NULL);
		CHECK_EQ(runtime_status().fibers, i + 2);
		CHECK_EQ(runtime_status().spawned - spawned, i + 1);
	}
	atomic_store(&gate, 1);
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	CHECK_EQ(runtime_status().fibers, 1);
	CHECK_EQ(runtime_status().spawned - spawned, FIBERS);
	CHECK(runtime_status().dispatches - dispatches >= FIBERS);
	return 0;
}

static void fibers_that_live_and_ever_did(void)
{
	runtime_run(1, 0, count_fibers, NULL);
	runtime_run(2, 0, count_fibers, NULL);
	runtime_run(4, FIBER_TEST_MIGRATE, count_fibers, NULL);
}

static int count_dispatches(void *arg)
{
	uint64_t before = runtime_status().dispatches;
	int i;

	(void)arg;
	for (i = 0; i < 100; i++)
		fiber_yield();
	CHECK_EQ(runtime_status().dispatches - before, 100);
	CHECK_EQ(runtime_join(runtime_spawn(nothing, NULL)), 0);
	/* The other one, and this one again. */
	CHECK_EQ(runtime_status().dispatches - before, 102);
	CHECK_EQ(runtime_status().steals, 0);
	return 0;
}

static void each_turn_of_one_worker(void)
{
	runtime_run(1, 0, count_dispatches, NULL);
}

static void check_workers(unsigned int workers)
{
	struct fiber_status status;

	runtime_start(workers, 0);
	status = runtime_status();
	CHECK_EQ(status.workers, workers);
	/* They sleep, when there is nothing to do. */
	while (runtime_status().idle < workers)
		usleep(1000);
	status = runtime_status();
	CHECK_EQ(status.idle, workers);
	CHECK(status.threads >= workers);
	CHECK(status.threads <= workers + 3);
	CHECK_EQ(status.fibers, 0);
	CHECK_EQ(status.stacks, 0);
	CHECK_EQ(status.starved, 0);
	runtime_stop();
}

static void workers_and_threads(void)
{
	check_workers(1);
	check_workers(2);
	check_workers(7);
	check_workers(64);
}

static int look_at_text(void *arg)
{
	struct fiber_status status;

	(void)arg;
	memset(&status, 'x', sizeof(status));
	status.size = sizeof(status);
	CHECK_EQ(fiber_status(&status), 0);
	CHECK_EQ(status.size, sizeof(status));
	CHECK(memchr(status.blocking, '\0', sizeof(status.blocking)));
	CHECK(memchr(status.why, '\0', sizeof(status.why)));
	CHECK(status.blocking[0]);
	CHECK(!status.why[0]);
	test_note("blocking: %s", status.blocking);
	return 0;
}

static void texts_end(void)
{
	runtime_run(1, 0, look_at_text, NULL);
}

struct newer_status {
	struct fiber_status status;
	uint64_t more[4];
};

static int try_sizes(void *arg)
{
	struct newer_status newer;
	struct fiber_status *status = &newer.status;

	(void)arg;
	CHECK_EQ(fiber_status(NULL), -EINVAL);
	memset(&newer, 'x', sizeof(newer));
	status->size = 0;
	CHECK_EQ(fiber_status(status), -EINVAL);
	CHECK_EQ(status->workers, 0x78787878);
	status->size = sizeof(size_t) - 1;
	CHECK_EQ(fiber_status(status), -EINVAL);
	CHECK_EQ(status->workers, 0x78787878);
	/* A program that knows more of them than the library. */
	status->size = sizeof(newer);
	CHECK_EQ(fiber_status(status), 0);
	CHECK_EQ(status->workers, 1);
	/* Nothing is written past what there is room for. */
	memset(&newer, 'x', sizeof(newer));
	status->size = sizeof(*status);
	CHECK_EQ(fiber_status(status), 0);
	CHECK_EQ(newer.more[0], 0x7878787878787878);
	memset(&newer, 'x', sizeof(newer));
	status->size = offsetof(struct fiber_status, blocking);
	if (fiber_status(status) == 0)
		CHECK_EQ(status->blocking[0], 'x');
	return 0;
}

static void other_sizes(void)
{
	runtime_run(1, 0, try_sizes, NULL);
}

static void only_if_it_runs(void)
{
	struct fiber_status status = { .size = sizeof(status) };

	CHECK_EQ(fiber_status(&status), -EPERM);
	runtime_start(1, 0);
	CHECK_EQ(fiber_status(&status), 0);
	runtime_stop();
	CHECK_EQ(fiber_status(&status), -EPERM);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(fibers_that_live_and_ever_did),
		TEST(each_turn_of_one_worker),
		TEST(workers_and_threads),
		TEST(texts_end),
		TEST(other_sizes),
		TEST(only_if_it_runs),
	};

	return RUN(argc, argv, tests);
}
