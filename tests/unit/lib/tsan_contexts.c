// SPDX-License-Identifier: MIT
/*
 * The thread sanitizer ends a process that has too many fibers. Before it does,
 * no more of them are made, and those that were made wait for a context.
 */
#include <errno.h>

#include "fibers.h"
#include "runtime.h"
#include "sanitize.h"

#define FIBERS_MAX (2 * FIBER_SANITIZE_MAX)

static struct fiber_chan *gate;
static atomic_int ran;

static void wait_at_gate(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_recv(gate, NULL), -EPIPE);
	atomic_fetch_add(&ran, 1);
}

static void fill(void)
{
	struct fiber_status status;
	unsigned int made = 0;
	int err;

	gate = new_chan(0, 0);
	atomic_store(&ran, 0);
	while (!(err = fiber_go(wait_at_gate, NULL))) {
		CHECK(++made < FIBERS_MAX);
		/* They want a context when they run first. */
		fiber_yield();
	}
	CHECK_EQ(err, -ENOMEM);
	CHECK(made >= FIBER_SANITIZE_MAX - 1);
	status = runtime_status();
	CHECK(status.starved > 0);
	CHECK_IN(status.why, "thread sanitizer");
	CHECK_EQ(fiber_chan_close(gate), 0);
	while (atomic_load(&ran) < (int)made)
		CHECK_EQ(fiber_sleep(MSEC), 0);
	fiber_chan_put(gate);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void all_run_in_the_end(void)
{
	fill();
	while (runtime_status().starved)
		CHECK_EQ(fiber_sleep(MSEC), 0);
	CHECK_EQ(join(spawn(nothing, NULL)), 0);
}

static void on_one_worker(void)
{
	run_with(1, 0, all_run_in_the_end);
}

static void on_several_workers(void)
{
	run_with(3, 0, all_run_in_the_end);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(on_one_worker),
		TEST(on_several_workers),
	};

	return RUN(argc, argv, tests);
}
