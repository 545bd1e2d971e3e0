// SPDX-License-Identifier: MIT
/*
 * The status names the guards that are in use: the best, the ones of the
 * configuration, or, before these, those that FIBER_FORCE names.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static int use_stacks(void *guard)
{
	*(unsigned int *)guard = runtime_status().guard;
	return 0;
}

static int try_guard(unsigned int wanted, unsigned int *guard)
{
	struct fiber_config config = { .size = sizeof(config),
				       .guard = wanted };

	*guard = 99;
	return fiber_run(use_stacks, guard, &config);
}

static unsigned int get_guard(unsigned int wanted)
{
	unsigned int guard;

	CHECK_EQ(try_guard(wanted, &guard), 0);
	return guard;
}

static void of_the_configuration(void)
{
	unsigned int best = get_guard(FIBER_GUARDS_BEST);

	CHECK(best == FIBER_GUARDS_INSTALL || best == FIBER_GUARDS_PROTECT);
	CHECK_EQ(get_guard(FIBER_GUARDS_PROTECT), FIBER_GUARDS_PROTECT);
	CHECK_EQ(get_guard(FIBER_GUARDS_SOFT), FIBER_GUARDS_SOFT);
	if (best == FIBER_GUARDS_INSTALL)
		CHECK_EQ(get_guard(FIBER_GUARDS_INSTALL), FIBER_GUARDS_INSTALL);
}

static void forced_before_configured(void)
{
	CHECK_EQ(setenv("FIBER_FORCE", "guard=soft", 1), 0);
	CHECK_EQ(get_guard(FIBER_GUARDS_BEST), FIBER_GUARDS_SOFT);
	CHECK_EQ(get_guard(FIBER_GUARDS_PROTECT), FIBER_GUARDS_SOFT);
	CHECK_EQ(setenv("FIBER_FORCE", "guard=protect", 1), 0);
	CHECK_EQ(get_guard(FIBER_GUARDS_BEST), FIBER_GUARDS_PROTECT);
	CHECK_EQ(get_guard(FIBER_GUARDS_SOFT), FIBER_GUARDS_PROTECT);
	CHECK_EQ(unsetenv("FIBER_FORCE"), 0);
	if (get_guard(FIBER_GUARDS_BEST) != FIBER_GUARDS_INSTALL)
		test_skip("guard=install needs Linux 6.13");
	CHECK_EQ(setenv("FIBER_FORCE", "guard=install", 1), 0);
	CHECK_EQ(get_guard(FIBER_GUARDS_BEST), FIBER_GUARDS_INSTALL);
	CHECK_EQ(get_guard(FIBER_GUARDS_SOFT), FIBER_GUARDS_INSTALL);
}

static void forced_nonsense_is_refused(void)
{
	unsigned int guard;

	CHECK_EQ(setenv("FIBER_FORCE", "guard=hard", 1), 0);
	CHECK_EQ(try_guard(FIBER_GUARDS_BEST, &guard), -EINVAL);
	CHECK_EQ(fiber_start(NULL), -EINVAL);
	CHECK_EQ(unsetenv("FIBER_FORCE"), 0);
	CHECK_EQ(try_guard(FIBER_GUARDS_BEST, &guard), 0);
}

static int deep(void *arg)
{
	volatile char bytes[30 * 1024];

	(void)arg;
	bytes[0] = 1;
	fiber_yield();
	return bytes[0] - 1;
}

static int spawn_many(void *arg)
{
	(void)arg;
	runtime_spawn_and_join(1000, deep, NULL);
	return 0;
}

static void all_of_them_work(void)
{
	static const char *const forces[] = { "guard=protect", "guard=soft",
					      "guard=install" };
	int i;

	for (i = 0; i < 3; i++) {
		if (i == 2 &&
		    get_guard(FIBER_GUARDS_BEST) != FIBER_GUARDS_INSTALL)
			test_skip("guard=install needs Linux 6.13");
		CHECK_EQ(setenv("FIBER_FORCE", forces[i], 1), 0);
		runtime_run(1, 0, spawn_many, NULL);
		runtime_run(2, FIBER_TEST_MIGRATE, spawn_many, NULL);
		CHECK_EQ(unsetenv("FIBER_FORCE"), 0);
	}
}

static void lock_memory(void *arg)
{
	unsigned int guard;
	void *page;

	(void)arg;
	if (mlockall(MCL_FUTURE))
		_exit(77);
	/* Some sanitizers leave out to lock memory, and say that they did. */
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || !madvise(page, 4096, MADV_DONTNEED))
		_exit(77);
	CHECK_EQ(try_guard(FIBER_GUARDS_INSTALL, &guard), -EOPNOTSUPP);
	CHECK_EQ(setenv("FIBER_FORCE", "guard=install", 1), 0);
	CHECK_EQ(try_guard(FIBER_GUARDS_BEST, &guard), -EOPNOTSUPP);
	CHECK_EQ(unsetenv("FIBER_FORCE"), 0);
	CHECK_EQ(get_guard(FIBER_GUARDS_BEST), FIBER_GUARDS_PROTECT);
}

/* Memory that is locked cannot be given such guards. */
static void what_does_not_work_here_is_refused(void)
{
	int status;

	if (TEST_SLOWER > 1)
		test_skip("no memory is locked under sanitizers and emulation");
	status = runtime_in_child(lock_memory, NULL);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		test_skip("may not lock memory here");
	CHECK_EQ(status, 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(of_the_configuration),
		TEST(forced_before_configured),
		TEST(forced_nonsense_is_refused),
		TEST(all_of_them_work),
		TEST(what_does_not_work_here_is_refused),
	};

	return RUN(argc, argv, tests);
}
