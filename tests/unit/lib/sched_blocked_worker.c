// SPDX-License-Identifier: MIT
/*
 * While a fiber blocks its worker in a system call that nobody announced, the
 * other workers run what was queued there. All of it: the call only returns
 * when the last of them has run.
 */
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 100

static int fds[2];
static atomic_int left;

static void count_down(void)
{
	if (atomic_fetch_sub(&left, 1) == 1)
		CHECK_EQ(write(fds[1], "", 1), 1);
}

static void prepare(int n)
{
	CHECK_EQ(pipe(fds), 0);
	atomic_store(&left, n);
}

static void block_until_all_have_run(void)
{
	char c;

	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(atomic_load(&left), 0);
	close(fds[0]);
	close(fds[1]);
}

static int run_once(void *arg)
{
	(void)arg;
	count_down();
	return 0;
}

static int leave_fresh(void *arg)
{
	struct fiber *fibers[FIBERS];
	int i;

	(void)arg;
	prepare(FIBERS);
	for (i = 0; i < FIBERS; i++)
		fibers[i] = runtime_spawn(run_once, NULL);
	block_until_all_have_run();
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	return 0;
}

static void fresh_ones(void)
{
	runtime_run(2, 0, leave_fresh, NULL);
	runtime_run(4, 0, leave_fresh, NULL);
}

static int wait_and_run_once(void *chan)
{
	CHECK_EQ(fiber_recv(chan, NULL), 0);
	count_down();
	return 0;
}

/* The last one that was woken is where only its worker looks, at first. */
static int leave_woken(void *arg)
{
	struct fiber *fibers[FIBERS];
	int n = (int)(intptr_t)arg;
	struct fiber_chan *chan;
	int i;

	prepare(n);
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	for (i = 0; i < n; i++)
		fibers[i] = runtime_spawn(wait_and_run_once, chan);
	/* Let them all wait, and everybody else be asleep. */
	fiber_sleep(5 * RUNTIME_MS);
	for (i = 0; i < n; i++)
		CHECK_EQ(fiber_send(chan, NULL), 0);
	block_until_all_have_run();
	for (i = 0; i < n; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	fiber_chan_put(chan);
	return 0;
}

static void woken_ones(void)
{
	runtime_run(2, 0, leave_woken, (void *)FIBERS);
	runtime_run(4, 0, leave_woken, (void *)FIBERS);
}

static void the_one_that_would_be_next(void)
{
	int i;

	for (i = 0; i < 10; i++)
		runtime_run(2, 0, leave_woken, (void *)1);
}

static int sleep_and_run_once(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(2 * RUNTIME_MS), 0);
	count_down();
	return 0;
}

static int leave_sleepers(void *arg)
{
	struct fiber *fibers[FIBERS];
	int i;

	(void)arg;
	prepare(FIBERS);
	for (i = 0; i < FIBERS; i++)
		fibers[i] = runtime_spawn(sleep_and_run_once, NULL);
	/* So that some of them sleep by the hand of this worker. */
	fiber_yield();
	block_until_all_have_run();
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	return 0;
}

static void sleeping_ones(void)
{
	runtime_run(2, 0, leave_sleepers, NULL);
	runtime_run(4, 0, leave_sleepers, NULL);
}

/* Every worker but one blocks, each with somebody queued behind. */
static int block_with_one_behind(void *arg)
{
	struct fiber *fiber;
	char c;

	(void)arg;
	fiber = runtime_spawn(run_once, NULL);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(write(fds[1], "", 1), 1);
	return runtime_join(fiber);
}

static int block_all_but_one(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 5; i++) {
		prepare(3);
		runtime_spawn_and_join(3, block_with_one_behind, NULL);
		close(fds[0]);
		close(fds[1]);
	}
	return 0;
}

static void of_all_but_one(void)
{
	runtime_run(4, 0, block_all_but_one, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(fresh_ones),
		TEST(woken_ones),
		TEST(the_one_that_would_be_next),
		TEST(sleeping_ones),
		TEST(of_all_but_one),
	};

	return RUN(argc, argv, tests);
}
