// SPDX-License-Identifier: MIT
/*
 * Where there is no memory for a stack, a fiber waits for one, no more are made
 * meanwhile, and all of them run in the end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 1000

static atomic_int gate;
static atomic_int ran;
static atomic_int here;

/* Address space for so many bytes more. */
static void limit_memory(long bytes)
{
	FILE *status = fopen("/proc/self/status", "r");
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };
	char line[256];
	long kib = -1;

	CHECK(status);
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "VmSize: %ld kB", &kib) == 1)
			break;
	}
	fclose(status);
	CHECK(kib >= 0);
	limit.rlim_cur = kib * 1024 + bytes;
	CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
}

static int wait_for_gate(void *arg)
{
	(void)arg;
	runtime_await(&gate, 1);
	atomic_fetch_add(&ran, 1);
	return 0;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void do_nothing(void *arg)
{
	(void)arg;
}

static void check_starved(void)
{
	struct fiber_status status;
	struct fiber *fiber;
	int err;

	do {
		fiber_yield();
		status = runtime_status();
		/* There may be none for another thread either, which is told once. */
	} while (status.starved == 0 || !strstr(status.why, "RLIMIT_AS"));
	CHECK(status.stacks > 64);
	/* At times it is tried again, and then one can be made. */
	while ((err = fiber_go(do_nothing, NULL)) == 0)
		fiber_yield();
	CHECK_EQ(err, -ENOMEM);
	while ((err = fiber_spawn(&fiber, nothing, NULL, NULL)) == 0) {
		fiber_put(fiber);
		fiber_yield();
	}
	CHECK_EQ(err, -ENOMEM);
}

/* Each worker runs one: they have started, and need no memory for that. */
static int meet(void *workers)
{
	atomic_fetch_add(&here, 1);
	while (atomic_load(&here) < (int)(intptr_t)workers)
		;
	return 0;
}

static int starve(void *workers)
{
	static struct fiber *fibers[FIBERS];
	int err = 0;
	int i, n;

	runtime_spawn_and_join((int)(intptr_t)workers, meet, workers);
	/* Also the monitor, and whatever else has a thread. */
	CHECK_EQ(fiber_sleep(50 * RUNTIME_MS), 0);
	limit_memory(20 << 20);
	for (n = 0; n < FIBERS; n++) {
		err = fiber_spawn(&fibers[n], wait_for_gate, NULL, NULL);
		if (err)
			break;
	}
	CHECK(err == 0 || err == -ENOMEM);
	check_starved();
	atomic_store(&gate, 1);
	for (i = 0; i < n; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	CHECK_EQ(atomic_load(&ran), n);
	CHECK_EQ(runtime_status().starved, 0);
	while (runtime_status().fibers > 1)
		fiber_yield();
	/* And now there is enough again. */
	for (i = 0; i < 100; i++)
		CHECK_EQ(runtime_join(runtime_spawn(nothing, NULL)), 0);
	return 0;
}

static void run_starved(void *workers)
{
	runtime_run((unsigned int)(uintptr_t)workers, 0, starve, workers);
}

/* What it says goes to standard error, and is not wanted here. */
static void check_workers(unsigned int workers)
{
	char said[4096];

	CHECK_EQ(test_death(run_starved, (void *)(uintptr_t)workers, said,
			    sizeof(said)),
		 0);
	CHECK_IN(said, "RLIMIT_AS");
}

static void on_one_worker(void)
{
	check_workers(1);
}

static void on_several_workers(void)
{
	check_workers(3);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(on_one_worker),
		TEST(on_several_workers),
	};

	return RUN(argc, argv, tests);
}
