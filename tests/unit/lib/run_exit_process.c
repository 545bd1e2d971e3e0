// SPDX-License-Identifier: MIT
/*
 * exit() ends the process with its code from wherever it is called, and runs
 * what was left for that.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static atomic_int *handlers; /* shared with children */
static atomic_int hogs;
static atomic_int blocked;

static void count_handler(void)
{
	atomic_fetch_add(handlers, 1);
}

static int exit_with(void *code)
{
	exit((int)(intptr_t)code);
}

static int sleep_on(void *arg)
{
	(void)arg;
	fiber_sleep(FIBER_FOREVER);
	return 0;
}

static int yield_on(void *arg)
{
	(void)arg;
	for (;;)
		fiber_yield();
	return 0;
}

static int compute(void *arg)
{
	(void)arg;
	atomic_fetch_add(&hogs, 1);
	for (;;)
		;
	return 0;
}

/* In a system call that the library knows nothing of. */
static int block(void *arg)
{
	(void)arg;
	atomic_fetch_add(&blocked, 1);
	pause();
	return 0;
}

static int receive(void *chan)
{
	int i;

	return fiber_recv(chan, &i);
}

static int exit_beside_others(void *code)
{
	static int (*const fns[])(void *) = { sleep_on, yield_on };
	int i;

	for (i = 0; i < 50; i++)
		fiber_put(runtime_spawn(fns[i % 2], NULL));
	fiber_yield();
	return runtime_join(runtime_spawn(exit_with, code));
}

static int exit_beside_hog(void *code)
{
	fiber_put(runtime_spawn(compute, NULL));
	runtime_await(&hogs, 1);
	return exit_with(code);
}

/* Some block, some compute, some wait for what does not come. */
static int exit_beside_all(void *code)
{
	struct fiber_chan *chan;
	int i;

	CHECK_EQ(fiber_chan_new(&chan, sizeof(int), 0, NULL), 0);
	for (i = 0; i < 10; i++)
		fiber_put(runtime_spawn(receive, chan));
	for (i = 0; i < 3; i++)
		fiber_put(runtime_spawn(block, NULL));
	runtime_await(&blocked, 3);
	return exit_beside_hog(code);
}

struct way {
	int (*main)(void *);
	unsigned int workers;
};

static void run(void *arg)
{
	const struct way *way = arg;

	CHECK_EQ(atexit(count_handler), 0);
	runtime_run(way->workers, 0, way->main, (void *)21);
}

static void check_exit(int (*main)(void *), unsigned int workers)
{
	struct way way = { .main = main, .workers = workers };
	int status;

	atomic_store(handlers, 0);
	status = runtime_in_child(run, &way);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 21);
	CHECK_EQ(atomic_load(handlers), 1);
}

static void prepare(void)
{
	handlers = mmap(NULL, sizeof(*handlers), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(handlers != MAP_FAILED);
}

static void by_the_first_fiber(void)
{
	prepare();
	check_exit(exit_with, 1);
	check_exit(exit_with, 3);
}

static void by_one_of_many(void)
{
	prepare();
	check_exit(exit_beside_others, 1);
	check_exit(exit_beside_others, 3);
}

static void beside_one_that_computes(void)
{
	prepare();
	check_exit(exit_beside_hog, 2);
}

static void beside_some_of_each(void)
{
	prepare();
	check_exit(exit_beside_all, 2);
	check_exit(exit_beside_all, 4);
}

static void exit_in_thread(void *arg)
{
	(void)arg;
	CHECK_EQ(atexit(count_handler), 0);
	runtime_start(2, 0);
	fiber_put(runtime_spawn(yield_on, NULL));
	fiber_put(runtime_spawn(sleep_on, NULL));
	exit(22);
}

static void by_a_thread(void)
{
	int status;

	prepare();
	status = runtime_in_child(exit_in_thread, NULL);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 22);
	CHECK_EQ(atomic_load(handlers), 1);
}

/* Handlers run on the stack of the fiber, and need some of it. */
static void use_stack(void)
{
	volatile char bytes[20 * 1024];

	bytes[0] = 1;
	atomic_fetch_add(handlers, bytes[0]);
}

static int exit_and_use_stack(void *code)
{
	CHECK_EQ(atexit(use_stack), 0);
	return exit_with(code);
}

static void handlers_have_a_stack(void)
{
	struct way way = { .main = exit_and_use_stack, .workers = 1 };

	prepare();
	CHECK_EQ(WEXITSTATUS(runtime_in_child(run, &way)), 21);
	CHECK_EQ(atomic_load(handlers), 2);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(by_the_first_fiber),	TEST(by_one_of_many),
		TEST(beside_one_that_computes), TEST(by_a_thread),
		TEST(beside_some_of_each),	TEST(handlers_have_a_stack),
	};

	return RUN(argc, argv, tests);
}
