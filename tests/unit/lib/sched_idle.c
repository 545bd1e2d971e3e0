// SPDX-License-Identifier: MIT
/*
 * Workers without work sleep: they neither compute nor wake up now and then.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static struct fiber_chan *chan;

static long read_switches(const char *thread)
{
	char path[300];
	char line[256];
	long n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", thread);
	file = fopen(path, "r");
	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
			break;
	}
	fclose(file);
	return n;
}

/* How often the other threads of the process have gone to sleep. */
static long count_switches(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	long sum = 0;

	CHECK(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != gettid())
			sum += read_switches(entry->d_name);
	}
	closedir(dir);
	return sum;
}

static int64_t cpu_time(void)
{
	struct timespec ts;

	CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
	return ts.tv_sec * RUNTIME_SECOND + ts.tv_nsec;
}

/* The calling thread sleeps meanwhile. */
static bool look_idle(void)
{
	int64_t time;
	long n;

	usleep(200 * 1000);
	n = count_switches();
	time = cpu_time();
	usleep(300 * 1000);
	time = cpu_time() - time;
	n = count_switches() - n;
	test_note("%ld switches, %lld us of CPU in 300 ms", n,
		  (long long)time / 1000);
	return n <= 2 && time < 30 * RUNTIME_MS;
}

/* Where others compute, it takes longer until all have come to rest. */
static void check_idle(void)
{
	int tries = 10;

	while (!look_idle())
		CHECK(--tries > 0);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int wait_for_close(void *arg)
{
	(void)arg;
	CHECK(fiber_recv(chan, NULL) < 0);
	return 0;
}

static int sleep_long(void *arg)
{
	(void)arg;
	CHECK(fiber_sleep(3600 * RUNTIME_SECOND) < 0);
	return 0;
}

static void from_the_start(void)
{
	runtime_start(4, 0);
	check_idle();
	CHECK_EQ(runtime_status().idle, 4);
	runtime_stop();
}

static void when_all_wait(void)
{
	struct fiber *fibers[20];
	int i;

	runtime_start(4, 0);
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	for (i = 0; i < 20; i++)
		fibers[i] = runtime_spawn(i % 2 ? wait_for_close : sleep_long,
					  NULL);
	check_idle();
	CHECK_EQ(runtime_status().idle, 4);
	CHECK_EQ(runtime_status().fibers, 20);
	CHECK_EQ(fiber_chan_close(chan), 0);
	for (i = 0; i < 20; i++) {
		fiber_cancel(fibers[i], 1);
		CHECK_EQ(runtime_join(fibers[i]), 0);
	}
	fiber_chan_put(chan);
	runtime_stop();
}

static void after_a_lot_of_work(void)
{
	int i;

	runtime_start(2, 0);
	for (i = 0; i < RUNTIME_TIMES(100); i++)
		runtime_spawn_and_join(100, nothing, NULL);
	check_idle();
	CHECK_EQ(runtime_status().idle, 2);
	runtime_stop();
}

/* One fiber computes; that is no reason for the others to look about. */
static int hog(void *stop)
{
	while (!atomic_load((atomic_int *)stop))
		;
	return 0;
}

static void beside_one_that_computes(void)
{
	atomic_int stop = 0;
	struct fiber *fiber;
	int64_t time;

	runtime_start(4, 0);
	fiber = runtime_spawn(hog, &stop);
	usleep(200 * 1000);
	CHECK_EQ(runtime_status().idle, 3);
	time = cpu_time() - test_now();
	usleep(300 * 1000);
	/* It can have had all of the time, but not more. */
	time = cpu_time() - test_now() - time;
	test_note("%lld us of CPU more than one worker can use",
		  (long long)time / 1000);
	CHECK(time < 30 * RUNTIME_MS);
	atomic_store(&stop, 1);
	CHECK_EQ(runtime_join(fiber), 0);
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(from_the_start),
		TEST(when_all_wait),
		TEST(after_a_lot_of_work),
		TEST(beside_one_that_computes),
	};

	return RUN(argc, argv, tests);
}
