// SPDX-License-Identifier: MIT
/*
 * Fibers that do not end when the runtime stops are named on standard error,
 * and never run again.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static char said[16384];
static atomic_int ready;
static atomic_int ran;
static atomic_int released;

/* It does not listen. */
static int stay(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancel_mask(1), 0);
	atomic_fetch_add(&ready, 1);
	for (;;) {
		CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
		atomic_fetch_add(&ran, 1);
	}
	return 0;
}

static int listen(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	return 0;
}

static int leave_three(void *arg)
{
	(void)arg;
	fiber_put(runtime_spawn_named("eddie", stay, NULL));
	fiber_put(runtime_spawn_named("marvin", stay, NULL));
	fiber_put(runtime_spawn_named("good one", listen, NULL));
	fiber_put(runtime_spawn(stay, NULL));
	runtime_await(&ready, 4);
	return 5;
}

static int see_nobody(void *arg)
{
	(void)arg;
	CHECK_EQ(runtime_status().fibers, 1);
	CHECK_EQ(fiber_sleep(20 * RUNTIME_MS), 0);
	return 0;
}

/*
 * Another runtime has nothing to do with them. It starts as soon as none is in
 * its turn any more.
 */
static void run_another(void)
{
	struct fiber_config config = { .size = sizeof(config), .workers = 2 };
	int err;

	while ((err = fiber_run(see_nobody, NULL, &config)) == -EBUSY)
		usleep(1000);
	CHECK_EQ(err, 0);
}

/* From the end of the turns that they were in, they are never seen again. */
static void check_never_again(void)
{
	int after;

	run_another();
	after = atomic_load(&ran);
	run_another();
	CHECK_EQ(atomic_load(&ran), after);
}

static void run_leaving_three(void *workers)
{
	struct fiber_config config = {
		.size = sizeof(config),
		.workers = (unsigned int)(uintptr_t)workers,
		.grace_ns = 100 * RUNTIME_MS,
	};

	CHECK_EQ(fiber_run(leave_three, NULL, &config), 5);
	check_never_again();
}

static void check_report(void (*fn)(void *), void *arg)
{
	CHECK_EQ(test_death(fn, arg, said, sizeof(said)), 0);
	test_note("%.*s", (int)strcspn(said, "\n"), said);
	CHECK_IN(said, "'eddie'");
	CHECK_IN(said, "'marvin'");
	CHECK(!strstr(said, "good one"));
	/* All that there is to know of the one without a name. */
	CHECK_IN(said, "entered at 0x");
}

static void by_run(void)
{
	check_report(run_leaving_three, (void *)1);
	check_report(run_leaving_three, (void *)2);
}

static void stop_leaving_three(void *workers)
{
	runtime_start((unsigned int)(uintptr_t)workers, 0);
	CHECK_EQ(runtime_join(runtime_spawn(leave_three, NULL)), 5);
	CHECK_EQ(fiber_stop_until(fiber_after(100 * RUNTIME_MS)), -ETIMEDOUT);
	check_never_again();
}

static void by_stop(void)
{
	check_report(stop_leaving_three, (void *)1);
	check_report(stop_leaving_three, (void *)2);
}

static int leave_nobody(void *arg)
{
	(void)arg;
	fiber_put(runtime_spawn_named("good one", listen, NULL));
	runtime_await(&ready, 1);
	return 0;
}

static void run_leaving_nobody(void *arg)
{
	runtime_run(2, 0, leave_nobody, arg);
}

/* Others have a second then. */
static void run_by_default(void *arg)
{
	CHECK_EQ(fiber_run(leave_nobody, arg, NULL), 0);
}

static void nothing_to_report(void)
{
	CHECK_EQ(test_death(run_leaving_nobody, NULL, said, sizeof(said)), 0);
	CHECK(!said[0]);
	CHECK_EQ(test_death(run_by_default, NULL, said, sizeof(said)), 0);
	CHECK(!said[0]);
}

static int sleep_deaf(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_cancel_mask(1), 0);
	return fiber_sleep(FIBER_FOREVER);
}

static int is_asleep(const struct fiber_info *info, void *arg)
{
	(void)arg;
	return !strcmp(info->name, "arthur") && info->call == FIBER_CALL_SLEEP;
}

static int leave_sleeper(void *arg)
{
	(void)arg;
	fiber_put(runtime_spawn_named("arthur", sleep_deaf, NULL));
	while (!fiber_each(is_asleep, NULL))
		fiber_yield();
	return 0;
}

static void run_leaving_sleeper(void *arg)
{
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 2,
				       .grace_ns = RUNTIME_MS };

	CHECK_EQ(fiber_run(leave_sleeper, arg, &config), 0);
}

static void what_it_waits_in(void)
{
	CHECK_EQ(test_death(run_leaving_sleeper, NULL, said, sizeof(said)), 0);
	CHECK_IN(said, " 'arthur', entered at 0x");
	CHECK_IN(said, ", waits in fiber_sleep() for ");
}

static int leave_many(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 1000; i++)
		fiber_put(runtime_spawn(stay, NULL));
	runtime_await(&ready, 1000);
	return 0;
}

static void run_leaving_many(void *arg)
{
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 2,
				       .grace_ns = RUNTIME_MS };

	CHECK_EQ(fiber_run(leave_many, arg, &config), 0);
}

static void a_thousand(void)
{
	CHECK_EQ(test_death(run_leaving_many, NULL, said, sizeof(said)), 0);
	CHECK_IN(said, "entered at 0x");
}

/* They are always ready, and each gives its place to the other. */
static int stay_ready(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	for (;;) {
		atomic_fetch_add(&ran, 1);
		fiber_yield();
	}
	return 0;
}

static int leave_ready(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 5; i++)
		fiber_put(runtime_spawn_named("zaphod", stay_ready, NULL));
	runtime_await(&ready, 5);
	return 0;
}

static void run_leaving_ready(void *workers)
{
	struct fiber_config config = {
		.size = sizeof(config),
		.workers = (unsigned int)(uintptr_t)workers,
		.grace_ns = RUNTIME_MS,
	};

	CHECK_EQ(fiber_run(leave_ready, NULL, &config), 0);
	check_never_again();
}

static void those_that_are_always_ready(void)
{
	CHECK_EQ(test_death(run_leaving_ready, (void *)1, said, sizeof(said)),
		 0);
	CHECK_IN(said, "'zaphod'");
	CHECK_EQ(test_death(run_leaving_ready, (void *)2, said, sizeof(said)),
		 0);
	CHECK_IN(said, "'zaphod'");
}

/* In no call of the library: there is no way to stop it. */
static int compute(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	while (!atomic_load(&released))
		;
	fiber_yield();
	atomic_fetch_add(&ran, 1);
	return 0;
}

static int leave_computing(void *arg)
{
	(void)arg;
	fiber_put(runtime_spawn_named("ford", compute, NULL));
	runtime_await(&ready, 1);
	return 0;
}

static void run_leaving_computing(void *arg)
{
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 2,
				       .grace_ns = RUNTIME_MS };

	(void)arg;
	CHECK_EQ(fiber_run(leave_computing, NULL, &config), 0);
	CHECK_EQ(fiber_run(see_nobody, NULL, NULL), -EBUSY);
	CHECK_EQ(fiber_start(NULL), -EBUSY);
	/* In its next call it learns that there is nothing for it here. */
	atomic_store(&released, 1);
	while (fiber_start(NULL) == -EBUSY)
		usleep(1000);
	CHECK_EQ(runtime_status().fibers, 0);
	usleep(20 * 1000);
	CHECK_EQ(atomic_load(&ran), 0);
	runtime_stop();
}

static void one_that_computes(void)
{
	CHECK_EQ(test_death(run_leaving_computing, NULL, said, sizeof(said)),
		 0);
	CHECK_IN(said, "'ford'");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(by_run),
		TEST(by_stop),
		TEST(nothing_to_report),
		TEST(what_it_waits_in),
		TEST(a_thousand),
		TEST(those_that_are_always_ready),
		TEST(one_that_computes),
	};

	return RUN(argc, argv, tests);
}
