// SPDX-License-Identifier: MIT
/*
 * A fiber whose stack overflows ends the process, which says who it was; with
 * soft guards, when it ends.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "runtime.h"

#define KIB 1024

static char said[4096];

struct place {
	int (*main)(void *);
	unsigned int workers;
	unsigned int guard;
};

/*
 * Not a loop: every call keeps its frame. All of it is written, as soft guards
 * look at a few bytes only.
 */
__attribute__((noinline)) static int dive(uintptr_t top, size_t depth)
{
	volatile char frame[64];

	memset((char *)frame, 1, sizeof(frame));
	if (top - (uintptr_t)frame < depth)
		return dive(top, depth) + frame[0];
	return 0;
}

static int overflow(void *arg)
{
	char here;

	(void)arg;
	dive((uintptr_t)&here, 1024 * KIB);
	return 0;
}

/* By so little that soft guards contain it. */
static int overflow_a_little(void *arg)
{
	char here;

	(void)arg;
	dive((uintptr_t)&here, 50 * KIB);
	return 0;
}

static int nothing(void *arg)
{
	(void)arg;
	fiber_yield();
	return 0;
}

static int overflow_by_name(void *arg)
{
	runtime_spawn_and_join(20, nothing, NULL);
	return runtime_join(runtime_spawn_named("deep thought", overflow, arg));
}

static int rename_and_overflow(void *arg)
{
	CHECK_EQ(fiber_name_set("marvin"), 0);
	fiber_yield();
	return overflow(arg);
}

static int overflow_by_new_name(void *arg)
{
	return runtime_join(
		runtime_spawn_named("deep thought", rename_and_overflow, arg));
}

static int overflow_without_name(void *arg)
{
	/* Where one with a name was before. */
	CHECK_EQ(runtime_join(runtime_spawn_named("ford", nothing, NULL)), 0);
	return runtime_join(runtime_spawn(overflow, arg));
}

static int overflow_big(void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr),
				   .name = "big",
				   .stack_size = 256 * KIB };
	struct fiber *fiber;

	CHECK_EQ(fiber_spawn(&fiber, overflow, arg, &attr), 0);
	return runtime_join(fiber);
}

static void run(void *arg)
{
	const struct place *place = arg;
	struct fiber_config config = { .size = sizeof(config),
				       .workers = place->workers,
				       .guard = place->guard };

	CHECK_EQ(fiber_run(place->main, NULL, &config), 0);
}

static void check_report(int (*main)(void *), const char *part)
{
	struct place place = { .main = main };

	for (place.workers = 1; place.workers <= 3; place.workers++) {
		CHECK_EQ(test_death(run, &place, said, sizeof(said)), SIGSEGV);
		CHECK_IN(said, "fiber: stack overflow");
		CHECK_IN(said, part);
		/* Where it was entered. */
		CHECK_IN(said, "fiber_stack_overflow+0x");
	}
}

static void names_fiber_and_entry(void)
{
	check_report(overflow_by_name, " in 'deep thought', entered at 0x");
}

static void by_its_latest_name(void)
{
	check_report(overflow_by_new_name, " in 'marvin', entered at 0x");
}

static void without_name_by_entry(void)
{
	check_report(overflow_without_name, "entered at 0x");
	CHECK(!strstr(said, "ford"));
}

static void first_fiber_too(void)
{
	check_report(overflow, "entered at 0x");
}

static void of_another_size(void)
{
	check_report(overflow_big, " in 'big', entered at 0x");
}

static int end_soft(void *arg)
{
	runtime_join(runtime_spawn_named("eddie", overflow_a_little, arg));
	return 0;
}

static int exit_soft(void *arg)
{
	overflow_a_little(arg);
	fiber_exit(0);
}

static int end_soft_by_exit(void *arg)
{
	runtime_join(runtime_spawn_named("eddie", exit_soft, arg));
	return 0;
}

static void check_soft(struct place *place)
{
	place->main = end_soft;
	CHECK_EQ(test_death(run, place, said, sizeof(said)), SIGABRT);
	CHECK_IN(said, "overflow");
	CHECK_IN(said, "eddie");
	place->main = end_soft_by_exit;
	CHECK_EQ(test_death(run, place, said, sizeof(said)), SIGABRT);
	CHECK_IN(said, "overflow");
	CHECK_IN(said, "eddie");
	place->main = nothing;
	CHECK_EQ(test_death(run, place, said, sizeof(said)), 0);
	CHECK(!said[0]);
}

static void soft_guards_tell_at_the_end(void)
{
	struct place place = { .workers = 2, .guard = FIBER_GUARDS_SOFT };

	check_soft(&place);
}

static void every_rung(void)
{
	struct place place = { .workers = 1 };

	setenv("FIBER_FORCE", "guard=soft", 1);
	check_soft(&place);
	setenv("FIBER_FORCE", "guard=protect", 1);
	check_report(overflow_by_name, " in 'deep thought', entered at 0x");
	unsetenv("FIBER_FORCE");
	place.guard = FIBER_GUARDS_PROTECT;
	place.main = overflow_by_name;
	CHECK_EQ(test_death(run, &place, said, sizeof(said)), SIGSEGV);
	CHECK_IN(said, "'deep thought'");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(names_fiber_and_entry),
		TEST(by_its_latest_name),
		TEST(without_name_by_entry),
		TEST(first_fiber_too),
		TEST(of_another_size),
		TEST(soft_guards_tell_at_the_end),
		TEST(every_rung),
	};

	return RUN(argc, argv, tests);
}
