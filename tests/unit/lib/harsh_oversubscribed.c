// SPDX-License-Identifier: MIT
/*
 * More workers than CPUs, and programs beside them that want the CPUs too: all
 * goes on, only later. Whoever waits for another worker must not do so by
 * computing.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include "harsh.h"

#define WORKERS 8
#define HOGS_MAX 16
#define NICE 10 /* a tenth of what others get */

static atomic_bool over;
static pthread_t hogs[HOGS_MAX];

static void *compute(void *arg)
{
	volatile unsigned long n = 0;

	(void)arg;
	while (!atomic_load_explicit(&over, memory_order_relaxed))
		n++;
	return NULL;
}

static void run_beside_hogs(int n, int nice_by, unsigned int flags)
{
	int64_t time_ns = harsh_time(3 * SEC / 5, 3);
	uint64_t seed = harsh_seed();
	int i;

	for (i = 0; i < n; i++)
		CHECK_EQ(pthread_create(&hogs[i], NULL, compute, NULL), 0);
	/* This thread, and those that it makes from here on. */
	if (nice_by)
		CHECK_EQ(setpriority(PRIO_PROCESS, 0, nice_by), 0);
	harsh_traffic(WORKERS, flags, time_ns, seed);
	atomic_store(&over, true);
	for (i = 0; i < n; i++)
		CHECK_EQ(pthread_join(hogs[i], NULL), 0);
}

static void one_hog(void)
{
	run_beside_hogs(1, 0, 0);
}

static void one_hog_always_moving(void)
{
	run_beside_hogs(1, 0, FIBER_TEST_MIGRATE);
}

/* One for each CPU, before which the workers have to stand back. */
static void hogs_that_go_first(void)
{
	cpu_set_t cpus;
	int n;

	CHECK_EQ(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	n = CPU_COUNT(&cpus) < HOGS_MAX ? CPU_COUNT(&cpus) : HOGS_MAX;
	run_beside_hogs(n, NICE, 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(one_hog),
		TEST(one_hog_always_moving),
		TEST(hogs_that_go_first),
	};

	return RUN(argc, argv, tests);
}
