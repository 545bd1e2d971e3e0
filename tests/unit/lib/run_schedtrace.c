// SPDX-License-Identifier: MIT
/*
 * FIBER_DEBUG=schedtrace=MS says every so often what all workers are at, also
 * when nothing happens; and what else it may be is refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static char said[65536];

static int idle_on(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(60 * RUNTIME_MS), 0);
	return 0;
}

static void run_traced(void *arg)
{
	CHECK_EQ(setenv("FIBER_DEBUG", arg, 1), 0);
	runtime_run(2, 0, idle_on, NULL);
}

static int lines(const char *text, const char *part)
{
	int n = 0;

	while ((text = strstr(text, part))) {
		text++;
		n++;
	}
	return n;
}

static void lines_come_though_all_sleep(void)
{
	int status = test_death(run_traced, "schedtrace=5", said, sizeof(said));

	CHECK_EQ(status, 0);
	CHECK(lines(said, "ms: workers=2") >= 2);
	CHECK_EQ(lines(said, "ms: workers=2"), lines(said, "\n"));
	CHECK_IN(said, "threads=3 excess=0 fibers=1 ");
	CHECK_IN(said, " [0 idle] [1 idle]\n");
}

static int block(void *arg)
{
	(void)arg;
	fiber_blocking_begin();
	usleep(60000);
	fiber_blocking_end();
	return 0;
}

static void run_blocked(void *arg)
{
	CHECK_EQ(setenv("FIBER_DEBUG", arg, 1), 0);
	runtime_run(2, 0, block, NULL);
}

static void they_say_who_runs_apart(void)
{
	int status =
		test_death(run_blocked, "schedtrace=5", said, sizeof(said));

	CHECK_EQ(status, 0);
	CHECK_IN(said, "excess=1 ");
	CHECK_IN(said, " apart]");
}

static void start_with(void *arg)
{
	CHECK_EQ(setenv("FIBER_DEBUG", arg, 1), 0);
	CHECK_EQ(fiber_start(NULL), -EINVAL);
	CHECK_EQ(unsetenv("FIBER_DEBUG"), 0);
	CHECK_EQ(fiber_start(NULL), 0);
	runtime_stop();
}

static void nonsense_is_refused(void)
{
	static char *const nonsense[] = {
		"x",
		"schedtrace",
		"schedtrace=",
		"schedtrace=0",
		"schedtrace=-1",
		"schedtrace=1x",
		"schedtrace=99999999999999999999",
	};

	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		CHECK_EQ(test_death(start_with, nonsense[i], said,
				    sizeof(said)),
			 0);
		CHECK_IN(said, "FIBER_DEBUG");
		CHECK_IN(said, nonsense[i]);
	}
}

static void nothing_without_it(void)
{
	CHECK_EQ(test_death(run_traced, "", said, sizeof(said)), 0);
	CHECK_EQ(strlen(said), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(lines_come_though_all_sleep),
		TEST(they_say_who_runs_apart),
		TEST(nonsense_is_refused),
		TEST(nothing_without_it),
	};

	return RUN(argc, argv, tests);
}
