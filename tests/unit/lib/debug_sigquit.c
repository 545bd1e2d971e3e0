// SPDX-License-Identifier: MIT
/*
 * FIBER_DEBUG=sigquit: SIGQUIT has all fibers written to standard error, though all
 * sleep, and nothing else happens. Without it nothing is changed.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fibers.h"

static char said[65536];
static int file;
static _Atomic int handled;

static void ask_for(const char *what)
{
	CHECK_EQ(setenv("FIBER_DEBUG", what, 1), 0);
}

/* Standard error is a file from here on. */
static void keep_errors(void)
{
	file = memfd_create("errors", 0);
	CHECK(file >= 0);
	CHECK(dup2(file, STDERR_FILENO) >= 0);
}

static int times(const char *part)
{
	const char *at = said;
	ssize_t n = pread(file, said, sizeof(said) - 1, 0);
	int count = 0;

	CHECK(n >= 0);
	said[n] = '\0';
	while ((at = strstr(at, part))) {
		at++;
		count++;
	}
	return count;
}

static int sleep_long(void *arg)
{
	(void)arg;
	return fiber_sleep(HOUR);
}

/* The thread that calls is the only one that takes it. */
static void ask_twice(void)
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = "arthur" };
	struct fiber_config config = { .size = sizeof(config), .workers = 2 };
	struct fiber *fiber;

	CHECK_EQ(fiber_start(&config), 0);
	CHECK_EQ(fiber_spawn(&fiber, sleep_long, NULL, &attr), 0);
	fiber_put(fiber);
	for (int i = 1; i <= 2; i++) {
		/* Until the monitor sleeps as well. */
		usleep(200000);
		CHECK(!kill(getpid(), SIGQUIT));
		while (times("waits in fiber_sleep() for ") < i)
			usleep(1000);
		CHECK_EQ(times(" 'arthur', entered at "), i);
	}
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
}

static void check_default(void)
{
	struct sigaction now;

	CHECK(!sigaction(SIGQUIT, NULL, &now));
	CHECK(now.sa_handler == SIG_DFL);
}

static void though_all_sleep(void)
{
	keep_errors();
	ask_for("sigquit");
	ask_twice();
	check_default();
	/* And with a runtime that comes after. */
	CHECK_EQ(ftruncate(file, 0), 0);
	CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
	ask_twice();
	check_default();
}

static void beside_others(void)
{
	keep_errors();
	ask_for("schedtrace=3600000,sigquit");
	ask_twice();
	check_default();
}

static void handle(int sig)
{
	(void)sig;
	handled++;
}

static void handler_of_before(void)
{
	struct sigaction action = { .sa_handler = handle };

	CHECK(!sigaction(SIGQUIT, &action, NULL));
	keep_errors();
	ask_for("sigquit,");
	ask_twice();
	CHECK_EQ(handled, 2);
	CHECK(!sigaction(SIGQUIT, NULL, &action));
	CHECK(action.sa_handler == handle);
}

static void start_and_quit(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_start(NULL), 0);
	raise(SIGQUIT);
}

static void nothing_without_it(void)
{
	ask_for("");
	CHECK_EQ(test_death(start_and_quit, NULL, said, sizeof(said)), SIGQUIT);
	CHECK(!strstr(said, "fiber"));
	ask_for("schedtrace=3600000");
	CHECK_EQ(test_death(start_and_quit, NULL, said, sizeof(said)), SIGQUIT);
	CHECK(!strstr(said, "fiber"));
}

static void start_with(void *arg)
{
	ask_for(arg);
	CHECK_EQ(fiber_start(NULL), -EINVAL);
	check_default();
}

static void nonsense_is_refused(void)
{
	static char *const nonsense[] = {
		"sigquit=", "sigquit=1", "sigquit,x", "sigquit,schedtrace=0",
		"sigquits", "sigqui",
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
		TEST(though_all_sleep),	   TEST(beside_others),
		TEST(handler_of_before),   TEST(nothing_without_it),
		TEST(nonsense_is_refused),
	};

	/* Shells have what they run in the background ignore it. */
	signal(SIGQUIT, SIG_DFL);
	return RUN(argc, argv, tests);
}
