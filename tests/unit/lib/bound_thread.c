// SPDX-License-Identifier: MIT
/*
 * A bound fiber has a thread of its own, from beginning to end, and is a fiber
 * all the same.
 */
#include <errno.h>
#include <fiber/cancel.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 20

static atomic_int ends;
static __thread int mine;
static pid_t tids[FIBERS];
static fiber_key key;

/* *fiber is there before it runs. */
static void spawn_to(struct fiber **fiber, int (*fn)(void *), void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr),
				   .name = "tied",
				   .flags = FIBER_BOUND };

	CHECK_EQ(fiber_spawn(fiber, fn, arg, &attr), 0);
}

static struct fiber *spawn_bound(int (*fn)(void *), void *arg)
{
	struct fiber *f = NULL;

	spawn_to(&f, fn, arg);
	CHECK(f);
	return f;
}

static int stay(void *arg)
{
	int number = (int)(intptr_t)arg;
	int i;

	tids[number] = gettid();
	CHECK_EQ(mine, 0);
	mine = number + 1;
	for (i = 0; i < 100; i++) {
		fiber_yield();
		if (i % 10 == 0)
			CHECK_EQ(fiber_sleep(1000), 0);
		CHECK_EQ(gettid(), tids[number]);
		CHECK_EQ(mine, number + 1);
	}
	return number;
}

static int spawn_many(void *arg)
{
	struct fiber *fibers[FIBERS];
	int i, k;

	(void)arg;
	for (i = 0; i < FIBERS; i++)
		fibers[i] = spawn_bound(stay, (void *)(intptr_t)i);
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), i);
	for (i = 0; i < FIBERS; i++) {
		CHECK(tids[i] != getpid());
		for (k = 0; k < i; k++)
			CHECK(tids[i] != tids[k]);
	}
	return 0;
}

/* Thread numbers are not used again so soon. */
static void each_stays_on_a_thread_of_its_own(void)
{
	runtime_run(1, 0, spawn_many, NULL);
	runtime_run(3, FIBER_TEST_MIGRATE, spawn_many, NULL);
	runtime_start(2, 0);
	spawn_many(NULL);
	runtime_stop();
}

static int say_who(void *arg)
{
	struct fiber **self = arg;
	char name[FIBER_NAME_SIZE];
	char comm[16];

	CHECK(fiber_self() == *self);
	CHECK(fiber_id(fiber_self()));
	CHECK_EQ(fiber_name_get(fiber_self(), name, sizeof(name)), 0);
	CHECK(!strcmp(name, "tied"));
	CHECK_EQ(prctl(PR_GET_NAME, comm), 0);
	CHECK(!strcmp(comm, "tied"));
	CHECK_EQ(fiber_name_set("bow"), 0);
	CHECK_EQ(fiber_name_get(fiber_self(), name, sizeof(name)), 0);
	CHECK(!strcmp(name, "bow"));
	CHECK_EQ(fiber_thread_detach(), -EPERM);
	CHECK_EQ(fiber_stop_until(0), -EDEADLK);
	CHECK_EQ(fiber_join(fiber_self(), NULL), -EDEADLK);
	fiber_pin();
	fiber_yield();
	fiber_unpin();
	CHECK(runtime_status().bound >= 1);
	CHECK(runtime_status().threads >= 4);
	return 3;
}

static int ask_who(void *arg)
{
	static struct fiber *self;

	(void)arg;
	spawn_to(&self, say_who, &self);
	CHECK_EQ(runtime_join(self), 3);
	return 0;
}

static void it_knows_itself(void)
{
	runtime_run(2, 0, ask_who, NULL);
}

static void count_end(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

/* From the middle of what it does. */
static __attribute__((noinline)) void give_up(volatile int *result)
{
	fiber_exit(*result);
	CHECK(0);
}

static int exit_early(void *arg)
{
	struct fiber_cleanup cleanup;
	volatile int result = 42;

	(void)arg;
	CHECK_EQ(fiber_key_set(key, &ends), 0);
	CHECK_EQ(fiber_cleanup_push(&cleanup, count_end, &ends), 0);
	give_up(&result);
	return 0;
}

static int end_by_exit(void *arg)
{
	(void)arg;
	atomic_store(&ends, 0);
	CHECK_EQ(runtime_join(spawn_bound(exit_early, NULL)), 42);
	/* The handler, and the key's destructor. */
	CHECK_EQ(atomic_load(&ends), 2);
	return 0;
}

static void exits_as_others_do(void)
{
	CHECK_EQ(fiber_key_add(&key, count_end), 0);
	runtime_run(1, 0, end_by_exit, NULL);
}

static int never(void *arg)
{
	(void)arg;
	CHECK(0);
	return 0;
}

static int no_thread(void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr),
				   .flags = FIBER_BOUND,
				   .stack_size = (size_t)1 << 46 };
	struct fiber *f = NULL;
	uint64_t before = runtime_status().fibers;

	(void)arg;
	CHECK_EQ(fiber_spawn(&f, never, NULL, &attr), -EAGAIN);
	CHECK(!f);
	CHECK_EQ(runtime_status().fibers, before);
	CHECK_EQ(runtime_status().bound, 0);
	CHECK_IN(runtime_status().why, "thread");
	attr.flags = FIBER_BOUND << 1;
	CHECK_EQ(fiber_spawn(&f, never, NULL, &attr), -EINVAL);
	return 0;
}

static void no_more_threads_is_an_error(void)
{
	if (TEST_IS_TSAN || TEST_SLOWER == 20)
		test_skip("the thread sanitizer and the emulator do not "
			  "survive it");
	runtime_run(1, 0, no_thread, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(each_stays_on_a_thread_of_its_own),
		TEST(it_knows_itself),
		TEST(exits_as_others_do),
		TEST(no_more_threads_is_an_error),
	};

	return RUN(argc, argv, tests);
}
