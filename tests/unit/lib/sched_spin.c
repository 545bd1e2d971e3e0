// SPDX-License-Identifier: MIT
/*
 * A worker that has run out of work looks for some, as more may come soon, but not
 * for long: it is asleep, and so are the others, some 50 us of a CPU later.
 *
 * Every few milliseconds there is a fiber that does nothing. What the workers
 * compute in between is looking. Their time on a CPU is measured, and not the
 * clock's, and where others disturb it, again.
 */
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define WORKERS 4
#define ROUNDS 20
#define EVERY_US 5000
/* Ten times what it should be, monitor and all; one that does not sleep takes it all. */
#define LOOK_US (TEST_SLOWER > 1 ? 2000 : 500)
#define TRIES 20

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	CHECK_EQ(clock_gettime(clock, &ts), 0);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

/* What all threads but the calling one have used. */
static int64_t others_us(void)
{
	int64_t own = clock_us(CLOCK_THREAD_CPUTIME_ID);

	return clock_us(CLOCK_PROCESS_CPUTIME_ID) - own;
}

static void await_idle(void)
{
	while (runtime_status().idle < WORKERS)
		usleep(1000);
}

/* For one round. */
static int64_t look_us(void)
{
	int64_t used = others_us();
	int i;

	for (i = 0; i < ROUNDS; i++) {
		CHECK_EQ(runtime_join(runtime_spawn(nothing, NULL)), 0);
		usleep(EVERY_US);
		await_idle();
	}
	return (others_us() - used) / ROUNDS;
}

static void sleeps_soon(void)
{
	int64_t us;
	int tries = TRIES;

	runtime_start(WORKERS, 0);
	await_idle();
	do {
		CHECK(tries-- > 0);
		us = look_us();
		test_note("%lld us of CPU for a fiber that does nothing",
			  (long long)us);
	} while (us >= LOOK_US);
	runtime_stop();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(sleeps_soon),
	};

	return RUN(argc, argv, tests);
}
