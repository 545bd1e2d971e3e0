// SPDX-License-Identifier: MIT
/*
 * A fiber that says that it is going to block keeps nobody from running: on one
 * worker, each waits in a system call for what others do.
 */
#include <pthread.h>
#include <unistd.h>

#include "fibers.h"
#include "runtime.h"

#define MANY 64

static int fds[2];
static atomic_int count;

static void open_pipe(void)
{
	CHECK_EQ(pipe(fds), 0);
	atomic_store(&count, 0);
}

static void close_pipe(void)
{
	close(fds[0]);
	close(fds[1]);
}

static void read_one(void)
{
	char c;

	fiber_blocking_begin();
	CHECK_EQ(read(fds[0], &c, 1), 1);
	fiber_blocking_end();
}

static void write_one(void)
{
	CHECK_EQ(write(fds[1], "", 1), 1);
}

static int read_here(void *arg)
{
	(void)arg;
	read_one();
	count++;
	return 0;
}

static int write_here(void *arg)
{
	(void)arg;
	write_one();
	return 0;
}

static void one(void)
{
	struct fiber *reader;

	open_pipe();
	reader = spawn(read_here, NULL);
	fiber_yield();
	CHECK_EQ(join(spawn(write_here, NULL)), 0);
	CHECK_EQ(join(reader), 0);
	close_pipe();
}

static void others_run_meanwhile(void)
{
	run_shapes(0, one);
}

/* All are in the call at once before the first returns. */
static int read_with_all(void *arg)
{
	int i;

	(void)arg;
	if (++count == MANY) {
		for (i = 0; i < MANY; i++)
			write_one();
	}
	read_one();
	return 0;
}

static void all(void)
{
	struct fiber *fibers[MANY];
	int i;

	open_pipe();
	for (i = 0; i < MANY; i++)
		fibers[i] = spawn(read_with_all, NULL);
	for (i = 0; i < MANY; i++)
		CHECK_EQ(join(fibers[i]), 0);
	close_pipe();
}

static void many_at_once(void)
{
	run_shapes(0, all);
}

/* Its children are queued at the worker that it blocks. */
static void parent(void)
{
	struct fiber *child;

	open_pipe();
	child = spawn(write_here, NULL);
	read_one();
	CHECK_EQ(join(child), 0);
	close_pipe();
}

static void its_own_children_run(void)
{
	run_shapes(0, parent);
}

static struct fiber_chan *chan;

static int pass_on(void *arg)
{
	int n = *(int *)arg;

	fiber_blocking_begin();
	while (n--) {
		int value = recv_int(chan);

		fiber_sleep(1);
		usleep(1);
		fiber_yield();
		count += value;
	}
	fiber_blocking_end();
	return 0;
}

static void wait_within(void)
{
	int n = 50;
	struct fiber *f;

	atomic_store(&count, 0);
	chan = new_chan(sizeof(int), 0);
	f = spawn(pass_on, &n);
	for (int i = 0; i < n; i++)
		send_int(chan, 2);
	CHECK_EQ(join(f), 0);
	CHECK_EQ(atomic_load(&count), 2 * n);
	fiber_chan_put(chan);
}

static void may_wait_in_channels_meanwhile(void)
{
	run_shapes(0, wait_within);
	run_shapes(FIBER_TEST_CLOCK, wait_within);
}

static int nest(void *arg)
{
	int depth = *(int *)arg;

	for (int i = 0; i < depth; i++)
		fiber_blocking_begin();
	fiber_yield();
	for (int i = 0; i < depth; i++)
		fiber_blocking_end();
	fiber_yield();
	/* More of these than of the others. */
	fiber_blocking_end();
	fiber_yield();
	return 0;
}

static void nested(void)
{
	int depths[] = { 0, 1, 2, 3, 254, 255 };

	run_all(ARRAY_SIZE(depths), nest, depths, sizeof(depths[0]));
	while (runtime_status().excess)
		fiber_yield();
}

static void pairs_nest(void)
{
	run_shapes(0, nested);
}

static int stay(void *arg)
{
	pthread_t self;

	(void)arg;
	fiber_pin();
	self = pthread_self();
	for (int i = 0; i < 20; i++) {
		fiber_blocking_begin();
		usleep(100);
		CHECK(pthread_equal(self, pthread_self()));
		fiber_blocking_end();
		CHECK(pthread_equal(self, pthread_self()));
		fiber_sleep(1000);
		CHECK(pthread_equal(self, pthread_self()));
	}
	fiber_unpin();
	return 0;
}

static void pinned(void)
{
	int args[8];

	run_all(8, stay, args, sizeof(args[0]));
}

static void the_pinned_stay(void)
{
	run_shapes(0, pinned);
}

static void threads(void)
{
	fiber_blocking_begin();
	fiber_blocking_begin();
	fiber_blocking_end();
	fiber_blocking_end();
	fiber_blocking_end();
}

static void other_threads_may_say_it_too(void)
{
	threads();
	runtime_start(1, 0);
	threads();
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(others_run_meanwhile),
		TEST(many_at_once),
		TEST(its_own_children_run),
		TEST(may_wait_in_channels_meanwhile),
		TEST(pairs_nest),
		TEST(the_pinned_stay),
		TEST(other_threads_may_say_it_too),
	};

	return RUN(argc, argv, tests);
}
