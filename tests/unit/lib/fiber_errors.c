// SPDX-License-Identifier: MIT
/*
 * Errors are numbers that are returned, with sentences; errno is not touched by
 * the library, and can be read in spite of it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static void sentence_for_each_number(void)
{
	static const int ours[] = { -EINVAL, -ENOMEM, -EPERM,	  -EDEADLK,
				    -EAGAIN, -EPIPE,  -ECANCELED, -ETIMEDOUT,
				    -EBUSY,  -E2BIG,  -ESRCH,	  -EOVERFLOW };
	size_t i;
	int err;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		CHECK(fiber_strerror(ours[i]));
		CHECK(strlen(fiber_strerror(ours[i])) > 3);
		CHECK(fiber_strerror(ours[i]) == fiber_strerror(ours[i]));
	}
	for (err = -200; err <= 200; err++)
		CHECK(fiber_strerror(err) && fiber_strerror(err)[0]);
	CHECK(fiber_strerror(-2000000000));
	CHECK(fiber_strerror(2000000000));
}

static void others_are_described_by_libc(void)
{
	CHECK(!strcmp(fiber_strerror(-ENOTDIR), strerrordesc_np(ENOTDIR)));
	CHECK(!strcmp(fiber_strerror(-ELOOP), strerrordesc_np(ELOOP)));
	CHECK(!strcmp(fiber_strerror(-EXDEV), strerrordesc_np(EXDEV)));
}

static void version_is_that_of_the_headers(void)
{
	CHECK_EQ(fiber_version(), FIBER_VERSION_NUMBER);
}

/* A function of its own: the compiler asks where errno is once in each. */
__attribute__((noinline)) static void set_errno(int err)
{
	errno = err;
}

static int fail_and_ask(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 200; i++) {
		CHECK_EQ(close(-1), -1);
		CHECK_EQ(fiber_errno(), EBADF);
		fiber_yield();
		CHECK_EQ(chdir("/nowhere/at/all"), -1);
		CHECK_EQ(fiber_errno(), ENOENT);
		fiber_yield();
	}
	return 0;
}

static int fail_in_several(void *arg)
{
	(void)arg;
	runtime_spawn_and_join(8, fail_and_ask, NULL);
	return 0;
}

static void errno_of_the_thread_at_this_instant(void)
{
	runtime_run(1, 0, fail_in_several, NULL);
	runtime_run(3, FIBER_TEST_MIGRATE, fail_in_several, NULL);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* With calls that succeed, fail, and sleep in the kernel. */
static void errno_is_left_alone(void)
{
	runtime_start(1, 0);
	set_errno(EXDEV);
	CHECK_EQ(runtime_join(runtime_spawn(nothing, NULL)), 0);
	CHECK_EQ(fiber_errno(), EXDEV);
	CHECK_EQ(fiber_join(NULL, NULL), -EINVAL);
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	CHECK_EQ(fiber_errno(), EXDEV);
	fiber_yield();
	CHECK_EQ(fiber_run(nothing, NULL, NULL), -EBUSY);
	CHECK_EQ(fiber_errno(), EXDEV);
	runtime_stop();
	CHECK_EQ(fiber_errno(), EXDEV);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(sentence_for_each_number),
		TEST(others_are_described_by_libc),
		TEST(version_is_that_of_the_headers),
		TEST(errno_of_the_thread_at_this_instant),
		TEST(errno_is_left_alone),
	};

	return RUN(argc, argv, tests);
}
