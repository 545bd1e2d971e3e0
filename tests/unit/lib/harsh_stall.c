// SPDX-License-Identifier: MIT
/*
 * Whatever instruction a thread of the runtime is stopped at, the others go on,
 * and nothing is lost.
 *
 * A thread sends signals, whose handler sleeps for up to five milliseconds, to
 * the workers, the monitor, and the plain threads that take part, one at a time
 * and at random times.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harsh.h"

#define STALL_NS_MAX (5 * MSEC)
#define PAUSE_NS_MAX (400 * USEC)
#define THREADS_MAX 64

static atomic_bool calm;
static atomic_ulong stalls;
static pthread_t injector;
static uint64_t seed;

/*
 * On the stack of the fiber, which has room. A system call is all that it does:
 * the sanitizers do not know where it is called from.
 */
static void stall(int sig, siginfo_t *info, void *context)
{
	struct timespec t = { .tv_nsec = info->si_value.sival_int };
	int saved = errno;

	(void)sig;
	(void)context;
	syscall(SYS_nanosleep, &t, NULL);
	atomic_fetch_add_explicit(&stalls, 1, memory_order_relaxed);
	errno = saved;
}

/* Threads of the runtime are named so, and those that its threads make. */
static bool is_of_runtime(const char *tid)
{
	char path[300];
	char name[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/comm", tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strncmp(name, "fiber", strlen("fiber"));
}

/* Returns how many there are now. */
static int list_threads(pid_t *tids)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	CHECK(dir);
	while ((entry = readdir(dir)) && n < THREADS_MAX) {
		if (entry->d_name[0] != '.' && is_of_runtime(entry->d_name))
			tids[n++] = atoi(entry->d_name);
	}
	closedir(dir);
	return n;
}

/* The thread may have ended: then nothing comes of it. */
static void send_stall(pid_t tid, int ns)
{
	siginfo_t info = {
		.si_code = SI_QUEUE,
		.si_value.sival_int = ns,
	};

	info.si_pid = getpid();
	info.si_uid = getuid();
	syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGPROF, &info);
}

static void *inject(void *arg)
{
	uint64_t random = seed ^ 0x5a5a5a5a;
	pid_t tids[THREADS_MAX];
	int n = 0;
	int i;

	(void)arg;
	for (i = 0; !atomic_load(&calm); i++) {
		struct timespec t = {
			.tv_nsec = harsh_draw(&random, PAUSE_NS_MAX),
		};

		if (i % 64 == 0)
			n = list_threads(tids);
		if (n)
			send_stall(tids[harsh_draw(&random, n)],
				   harsh_draw(&random, STALL_NS_MAX));
		nanosleep(&t, NULL);
	}
	return NULL;
}

static void start_stalls(void)
{
	/* Waits that a signal ends early are to be looked at too. */
	struct sigaction action = {
		.sa_sigaction = stall,
		.sa_flags = SA_SIGINFO,
	};

	seed = harsh_seed();
	CHECK_EQ(sigaction(SIGPROF, &action, NULL), 0);
	CHECK_EQ(pthread_create(&injector, NULL, inject, NULL), 0);
}

static void stop_stalls(void)
{
	atomic_store(&calm, true);
	CHECK_EQ(pthread_join(injector, NULL), 0);
	test_note("%lu stalls", atomic_load(&stalls));
	CHECK(atomic_load(&stalls) > 0);
}

static void under_stalls(unsigned int workers, unsigned int flags)
{
	start_stalls();
	harsh_traffic(workers, flags, harsh_time(2 * SEC / 5, 5), seed);
	stop_stalls();
}

static void two_workers(void)
{
	under_stalls(2, 0);
}

static void three_workers(void)
{
	under_stalls(3, 0);
}

static void four_workers(void)
{
	under_stalls(4, 0);
}

static void always_moving(void)
{
	under_stalls(4, FIBER_TEST_MIGRATE);
}

/* A fiber that is made while the runtime stops is cancelled too. */

static struct fiber_chan *never;

static void wait_for_ever(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
}

static int keep_making(void *arg)
{
	int err;

	(void)arg;
	while (!(err = fiber_go(wait_for_ever, NULL)))
		;
	CHECK_EQ(err, -EPERM);
	return 0;
}

static void make_and_stop(uint64_t *random)
{
	struct fiber_config config = { .size = sizeof(config), .workers = 4 };
	struct fiber *makers[4];
	int i;

	CHECK_EQ(fiber_start(&config), 0);
	for (i = 0; i < 4; i++)
		makers[i] = spawn(keep_making, NULL);
	usleep(harsh_draw(random, 1000));
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(join(makers[i]), 0);
}

static void stop_while_fibers_are_made(void)
{
	int64_t end = test_now() + harsh_time(2 * SEC / 5, 5);
	struct harsh_actor *actor;
	uint64_t random;

	start_stalls();
	random = seed;
	never = new_chan(0, 0);
	harsh_watch();
	actor = harsh_actor("main");
	while (test_now() < end) {
		harsh_step(actor, "start, and stop");
		make_and_stop(&random);
	}
	harsh_unwatch();
	fiber_chan_put(never);
	stop_stalls();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(two_workers),
		TEST(three_workers),
		TEST(four_workers),
		TEST(always_moving),
		TEST(stop_while_fibers_are_made),
	};

	return RUN(argc, argv, tests);
}
