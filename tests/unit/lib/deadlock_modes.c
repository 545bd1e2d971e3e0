// SPDX-License-Identifier: MIT
/*
 * What FIBER_DEBUG makes of a deadlock: it is reported once and not aborted, or
 * nothing is said; and what it may not be is refused.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "fibers.h"

static struct fiber_event event = FIBER_EVENT_INIT;
static char said[65536];
/* So long until it ends by itself. */
static unsigned int life_ms = 150;

static int hang(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_event_wait(&event), 0);
	return 0;
}

static int count(const char *part)
{
	const char *at = said;
	int n = 0;

	while ((at = strstr(at, part))) {
		at++;
		n++;
	}
	return n;
}

static _Noreturn void *end_later(void *arg)
{
	(void)arg;
	usleep(life_ms * 1000);
	_exit(0);
}

/* Until it ends by itself, if nothing else ends it. */
static void run_for_a_while(void *arg)
{
	struct fiber_config config = { .size = sizeof(config), .workers = 2 };

	CHECK_EQ(setenv("FIBER_DEBUG", arg, 1), 0);
	fiber_run(hang, NULL, &config);
}

/* Ends the process in a signal handler, which is no thread. */
static void end_it(int sig)
{
	(void)sig;
	_exit(0);
}

static void run_until_signal(void *arg)
{
	struct itimerval when = {
		.it_value = { life_ms / 1000, life_ms % 1000 * 1000 },
	};

	signal(SIGALRM, end_it);
	setitimer(ITIMER_REAL, &when, NULL);
	run_for_a_while(arg);
}

static void run_beside_thread(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, end_later, NULL), 0);
	run_for_a_while(arg);
}

static void run_until_aborted(void *arg)
{
	alarm(5);
	run_for_a_while(arg);
}

/* Not where a sanitizer, or an emulator, has threads: then nothing is certain. */
static void aborted_by_default(void)
{
	int sig = test_death(run_until_aborted, "stalled=200", said,
			     sizeof(said));

	if (sig != SIGABRT)
		test_skip("there are threads that are nobody's");
	CHECK_EQ(count("fiber: deadlock: "), 1);
	CHECK_EQ(count("fiber: stalled: "), 0);
	CHECK_EQ(test_death(run_until_aborted, "", said, sizeof(said)),
		 SIGABRT);
	CHECK_EQ(test_death(run_until_aborted, "deadlock=abort", said,
			    sizeof(said)),
		 SIGABRT);
}

/* By the stack of each: with a name and a line, or at least in which file. */
static void with_the_place(void)
{
	if (test_death(run_until_aborted, "", said, sizeof(said)) != SIGABRT)
		test_skip("there are threads that are nobody's");
	CHECK(count("waits in fiber_event_wait()") >= 2);
	CHECK_IN(said, "  stack 1\n    0x");
	if (count("_fiber_context_start()"))
		CHECK_IN(said, " hang() tests/unit/lib/deadlock_modes.c:");
	else
		CHECK_IN(said, "deadlock_modes+0x");
}

static int hang_apart(void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr),
				   .name = "tied",
				   .flags = FIBER_BOUND };
	struct fiber *f;

	CHECK_EQ(fiber_spawn(&f, hang, arg, &attr), 0);
	return fiber_join(f, NULL);
}

static void run_apart(void *arg)
{
	alarm(5);
	CHECK_EQ(setenv("FIBER_DEBUG", arg, 1), 0);
	fiber_run(hang_apart, NULL, NULL);
}

/* Its thread is no stranger, as long as it waits. */
static void also_of_bound_fibers(void)
{
	if (test_death(run_apart, "", said, sizeof(said)) != SIGABRT)
		test_skip("there are threads that are nobody's");
	CHECK_EQ(count("fiber: deadlock: "), 1);
	CHECK_IN(said, " 'tied' waits in fiber_event_wait() on ");
}

/* How often it was reported; it lives for longer if it was not. */
static int reports(void (*run)(void *), char *debug)
{
	int n = 0;

	for (life_ms = 150; !n && life_ms < 10000; life_ms *= 4) {
		CHECK_EQ(test_death(run, debug, said, sizeof(said)), 0);
		n = count("fiber: deadlock: ") + count("fiber: stalled: ");
	}
	life_ms = 150;
	return n;
}

static void reported_once(void)
{
	CHECK_EQ(reports(run_until_signal, "deadlock=report,stalled=30"), 1);
}

static void nothing_if_off(void)
{
	CHECK_EQ(test_death(run_until_signal, "deadlock=off", said,
			    sizeof(said)),
		 0);
	CHECK_EQ(strlen(said), 0);
}

static void no_stall_unless_asked_for(void)
{
	CHECK_EQ(test_death(run_beside_thread, "", said, sizeof(said)), 0);
	CHECK_EQ(strlen(said), 0);
	CHECK_EQ(reports(run_beside_thread, "stalled=30"), 1);
	CHECK_EQ(count("fiber: stalled: "), 1);
}

static void start_with(void *arg)
{
	CHECK_EQ(setenv("FIBER_DEBUG", arg, 1), 0);
	CHECK_EQ(fiber_start(NULL), -EINVAL);
}

static void nonsense_is_refused(void)
{
	static char *const nonsense[] = {
		"deadlock",	   "deadlock=", "deadlock=on",	 "stalled=0",
		"stalled=-5",	   "stalled",	"cycles=x",	 "cycles=1,x=2",
		"schedtrace=10;x", "lock",	"locks,locks=1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		CHECK_EQ(test_death(start_with, nonsense[i], said,
				    sizeof(said)),
			 0);
		CHECK_IN(said, "FIBER_DEBUG: '");
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(aborted_by_default),   TEST(with_the_place),
		TEST(also_of_bound_fibers), TEST(reported_once),
		TEST(nothing_if_off),	    TEST(no_stall_unless_asked_for),
		TEST(nonsense_is_refused),
	};

	return RUN(argc, argv, tests);
}
