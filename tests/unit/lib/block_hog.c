// SPDX-License-Identifier: MIT
/*
 * All workers compute, and never call the library: those whose sleep is over, and
 * those who have not run yet, run all the same.
 */
#include "fibers.h"
#include "runtime.h"

static atomic_int done;

static int compute_until_done(void *arg)
{
	int n = *(int *)arg;

	while (atomic_load(&done) < n)
		;
	return 0;
}

static int sleep_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++)
		CHECK_EQ(fiber_sleep(MSEC), 0);
	done++;
	return 0;
}

static int be_done(void *arg)
{
	(void)arg;
	done++;
	return 0;
}

/* More who compute than there are workers. */
static void among_hogs(int (*fn)(void *), int n)
{
	int hogs = runtime_status().workers;
	struct fiber *fibers[8];

	atomic_store(&done, 0);
	for (int i = 0; i < hogs; i++)
		fibers[i] = spawn(compute_until_done, &n);
	for (int i = 0; i < n; i++)
		fiber_spawn(&fibers[hogs + i], fn, NULL, NULL);
	for (int i = 0; i < hogs + n; i++)
		CHECK_EQ(join(fibers[i]), 0);
	while (runtime_status().excess)
		fiber_yield();
}

static void sleepers(void)
{
	among_hogs(sleep_often, 3);
}

static void newcomers(void)
{
	among_hogs(be_done, 3);
}

static void sleeps_end(void)
{
	run_shapes(0, sleepers);
}

static void new_ones_start(void)
{
	run_shapes(0, newcomers);
}

/* By a thread, when all compute already. */
static void from_outside(void)
{
	struct fiber *hogs[2];
	int n = 1;

	for (int i = 0; i < 20; i++) {
		atomic_store(&done, 0);
		runtime_start(2, 0);
		for (int j = 0; j < 2; j++)
			hogs[j] = spawn(compute_until_done, &n);
		CHECK_EQ(fiber_sleep(3 * MSEC), 0);
		CHECK_EQ(join(spawn(be_done, NULL)), 0);
		for (int j = 0; j < 2; j++)
			CHECK_EQ(join(hogs[j]), 0);
		runtime_stop();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(sleeps_end),
		TEST(new_ones_start),
		TEST(from_outside),
	};

	return RUN(argc, argv, tests);
}
