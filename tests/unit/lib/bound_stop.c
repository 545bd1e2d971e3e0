// SPDX-License-Identifier: MIT
/*
 * The runtime stops with bound fibers in it: those that wait are cancelled, those
 * that do not end are named, and never run in the library again.
 */
#include <errno.h>
#include <fiber/chan.h>
#include <fiber/time.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static char said[4096];
static struct fiber_chan *chan;
static atomic_int waiting;
static int fds[2];

static void go(int (*fn)(void *), const char *name)
{
	struct fiber_attr attr = { .size = sizeof(attr),
				   .name = name,
				   .flags = FIBER_BOUND };
	struct fiber *f;

	CHECK_EQ(fiber_spawn(&f, fn, NULL, &attr), 0);
	fiber_put(f);
}

static int wait_until_cancelled(void *arg)
{
	atomic_fetch_add(&waiting, 1);
	CHECK_EQ(fiber_recv(chan, NULL), -ECANCELED);
	return !!arg;
}

static int leave_some(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 20; i++)
		go(wait_until_cancelled, "waits");
	runtime_await(&waiting, 10);
	return 0;
}

static void those_that_wait_end(void)
{
	int i;

	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	for (i = 0; i < 20; i++) {
		atomic_store(&waiting, 0);
		runtime_run(2, 0, leave_some, NULL);
	}
	fiber_chan_put(chan);
}

/* In a call of the kernel: and then in one of the library, for ever. */
static int read_and_go_on(void *arg)
{
	char c;

	atomic_fetch_add(&waiting, 1);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(write(fds[1], "b", 1), 1);
	fiber_sleep(0);
	_exit(1);
	return !!arg;
}

/* It takes no notice, and waits again. */
static int wait_again(void *arg)
{
	atomic_fetch_add(&waiting, 1);
	while (fiber_recv(chan, NULL))
		;
	_exit(1);
	return !!arg;
}

static int leave_stubborn(void *arg)
{
	(void)arg;
	go(read_and_go_on, "reads");
	go(wait_again, "stubborn");
	runtime_await(&waiting, 2);
	return 0;
}

static void run_stubborn(void *arg)
{
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 2,
				       .grace_ns = 20 * RUNTIME_MS };
	char c = 'a';

	(void)arg;
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	CHECK_EQ(fiber_run(leave_stubborn, NULL, &config), 0);
	/* Both go on, and find out. */
	CHECK_EQ(write(fds[1], &c, 1), 1);
	do {
		CHECK_EQ(read(fds[0], &c, 1), 1);
		CHECK(c == 'a' || c == 'b');
		if (c == 'a')
			CHECK_EQ(write(fds[1], &c, 1), 1);
	} while (c != 'b');
	while (fiber_start(NULL) == -EBUSY)
		usleep(1000);
	CHECK_EQ(runtime_status().fibers, 0);
	runtime_stop();
	usleep(20000);
}

static void those_that_do_not_are_named(void)
{
	CHECK_EQ(test_death(run_stubborn, NULL, said, sizeof(said)), 0);
	CHECK_IN(said, "left over");
	CHECK_IN(said, "'reads'");
	CHECK_IN(said, "'stubborn'");
	CHECK(!strstr(said, "'waits'"));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(those_that_wait_end),
		TEST(those_that_do_not_are_named),
	};

	return RUN(argc, argv, tests);
}
