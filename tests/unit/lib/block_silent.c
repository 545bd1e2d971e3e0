// SPDX-License-Identifier: MIT
/*
 * A fiber that blocks its thread without a word is found out, and another
 * thread runs the others; it is counted; and all is as before when it is over.
 */
#include <sched.h>
#include <stdio.h>
#include <errno.h>
#include <semaphore.h>
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

	CHECK_EQ(read(fds[0], &c, 1), 1);
}

/* All are in the call at once before the first returns. */
static int read_with_all(void *arg)
{
	(void)arg;
	if (++count == MANY) {
		for (int i = 0; i < MANY; i++)
			CHECK_EQ(write(fds[1], "", 1), 1);
	}
	read_one();
	return 0;
}

static void all(void)
{
	struct fiber *fibers[MANY];

	open_pipe();
	for (int i = 0; i < MANY; i++)
		fibers[i] = spawn(read_with_all, NULL);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(join(fibers[i]), 0);
	close_pipe();
	CHECK(runtime_status().blocks > 0);
	CHECK(runtime_status().threads >= MANY + 1);
	/* Who ran them goes to sleep. */
	while (runtime_status().excess)
		fiber_yield();
}

static void others_run_meanwhile(void)
{
	run_shapes(0, all);
}

static sem_t sem;
static atomic_int waits;

static int take_semaphore(void *arg)
{
	(void)arg;
	waits++;
	return sem_wait(&sem);
}

static void behind_a_semaphore(void)
{
	struct fiber *fibers[8];

	atomic_store(&waits, 0);
	CHECK_EQ(sem_init(&sem, 0, 0), 0);
	for (int i = 0; i < 8; i++)
		fibers[i] = spawn(take_semaphore, NULL);
	runtime_await(&waits, 8);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(sem_post(&sem), 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(join(fibers[i]), 0);
}

static void a_lock_of_others_is_no_different(void)
{
	run_shapes(0, behind_a_semaphore);
}

static int count_one(void *arg)
{
	(void)arg;
	count++;
	return 0;
}

/* Nobody needs the thread that blocks; then somebody does. */
static void late(void)
{
	struct fiber *f;

	open_pipe();
	f = spawn(read_with_all, NULL);
	fiber_sleep(30 * MSEC);
	CHECK_EQ(join(spawn(count_one, NULL)), 0);
	CHECK_EQ(write(fds[1], "", 1), 1);
	CHECK_EQ(join(f), 0);
	close_pipe();
}

static void work_that_comes_later_runs_too(void)
{
	run_shapes(0, late);
}

/* Blocks some times, then never again: then it is like any other. */
static int block_and_reform(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		usleep(5000);
		fiber_yield();
	}
	count++;
	while (runtime_status().excess)
		fiber_yield();
	return 0;
}

static int yield_on(void *arg)
{
	while (!atomic_load(&count))
		fiber_yield();
	return !!arg;
}

static void reformed(void)
{
	struct fiber *f;

	atomic_store(&count, 0);
	f = spawn(block_and_reform, NULL);
	CHECK_EQ(join(spawn(yield_on, NULL)), 0);
	CHECK_EQ(join(f), 0);
}

static void who_stops_blocking_needs_no_thread(void)
{
	run_shapes(0, reformed);
}

static void none_to_spare(void)
{
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 2,
				       .spares = FIBER_SPARES_NONE };
	struct fiber *fibers[8];

	CHECK_EQ(fiber_start(&config), 0);
	for (int i = 0; i < 8; i++)
		fibers[i] = spawn(block_and_reform, NULL);
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(join(fibers[i]), 0);
		CHECK_EQ(runtime_status().threads, 3);
		CHECK_EQ(runtime_status().replaced, 0);
	}
	runtime_stop();
}

static void no_more_threads_than_wanted(void)
{
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 1,
				       .spares = 3 };
	struct fiber *fibers[16];

	none_to_spare();
	CHECK_EQ(fiber_start(&config), 0);
	for (int i = 0; i < 16; i++)
		fibers[i] = spawn(block_and_reform, NULL);
	for (int i = 0; i < 16; i++) {
		CHECK_EQ(join(fibers[i]), 0);
		CHECK(runtime_status().threads <= 5);
	}
	runtime_stop();
}

static int read_for_ever(void *arg)
{
	char c;

	(void)arg;
	count++;
	return read(fds[0], &c, 1) > 0;
}

/* They are in the call when the runtime stops, and are left there. */
static void stop_meanwhile(void *arg)
{
	struct fiber *fibers[4];

	(void)arg;
	CHECK_EQ(freopen("/dev/null", "w", stderr) != NULL, 1);
	open_pipe();
	runtime_start(2, 0);
	for (int i = 0; i < 4; i++)
		fibers[i] = spawn(read_for_ever, NULL);
	while (atomic_load(&count) < 4)
		sched_yield();
	CHECK_EQ(fiber_stop_until(fiber_after(20 * MSEC)), -ETIMEDOUT);
	(void)fibers;
}

static void the_runtime_stops_all_the_same(void)
{
	CHECK_EQ(runtime_in_child(stop_meanwhile, NULL), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(others_run_meanwhile),
		TEST(a_lock_of_others_is_no_different),
		TEST(work_that_comes_later_runs_too),
		TEST(who_stops_blocking_needs_no_thread),
		TEST(no_more_threads_than_wanted),
		TEST(the_runtime_stops_all_the_same),
	};

	return RUN(argc, argv, tests);
}
