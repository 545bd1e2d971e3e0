// SPDX-License-Identifier: MIT
/*
 * A million fibers, one after the other, and a hundred thousand at once.
 */
#include <stdlib.h>

#include "harness.h"
#include "runtime.h"

#define IN_SEQUENCE RUNTIME_TIMES(1000000)
#define AT_ONCE RUNTIME_TIMES(100000)

static struct fiber_chan *chan;

static int give(void *arg)
{
	return (int)(intptr_t)arg;
}

static int in_sequence(void *arg)
{
	intptr_t i;

	(void)arg;
	for (i = 0; i < IN_SEQUENCE; i++)
		CHECK_EQ(runtime_join(runtime_spawn(give, (void *)i)), i);
	CHECK_EQ(runtime_status().fibers, 1);
	CHECK(runtime_status().spawned >= IN_SEQUENCE);
	return 0;
}

static void one_after_the_other(void)
{
	runtime_run(1, 0, in_sequence, NULL);
}

static void join_all(struct fiber **fibers)
{
	intptr_t i;

	for (i = 0; i < AT_ONCE; i++)
		CHECK_EQ(runtime_join(fibers[i]), i);
	CHECK_EQ(runtime_status().fibers, 1);
}

static int unstarted_at_once(void *arg)
{
	struct fiber **fibers = malloc(AT_ONCE * sizeof(fibers[0]));
	intptr_t i;

	(void)arg;
	CHECK(fibers);
	for (i = 0; i < AT_ONCE; i++)
		fibers[i] = runtime_spawn(give, (void *)i);
	CHECK_EQ(runtime_status().fibers, AT_ONCE + 1);
	join_all(fibers);
	free(fibers);
	return 0;
}

static void at_once_and_not_yet_started(void)
{
	/* Or another thread runs some while the first makes them. */
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 1,
				       .spares = FIBER_SPARES_NONE };

	CHECK_EQ(fiber_run(unstarted_at_once, NULL, &config), 0);
}

static int wait_for_close(void *arg)
{
	char c;

	CHECK(fiber_recv(chan, &c) < 0);
	return (int)(intptr_t)arg;
}

static int waiting_at_once(void *arg)
{
	struct fiber **fibers = malloc(AT_ONCE * sizeof(fibers[0]));
	struct fiber_status status;
	intptr_t i;

	(void)arg;
	CHECK(fibers);
	CHECK_EQ(fiber_chan_new(&chan, 1, 0, NULL), 0);
	for (i = 0; i < AT_ONCE; i++)
		fibers[i] = runtime_spawn(wait_for_close, (void *)i);
	/* With a stack each, they have all begun. */
	do {
		fiber_yield();
		status = runtime_status();
		CHECK_EQ(status.starved, 0);
	} while (status.stacks < AT_ONCE + 1);
	CHECK_EQ(status.fibers, AT_ONCE + 1);
	CHECK_EQ(fiber_chan_close(chan), 0);
	join_all(fibers);
	fiber_chan_put(chan);
	free(fibers);
	return 0;
}

static int see_guard(void *guard)
{
	*(unsigned int *)guard = runtime_status().guard;
	return 0;
}

static void at_once_and_waiting(void)
{
	unsigned int guard;

	runtime_run(1, 0, see_guard, &guard);
	if (guard != FIBER_GUARDS_INSTALL)
		test_skip(
			"so many guards need MADV_GUARD_INSTALL (Linux 6.13)");
	runtime_run(1, 0, waiting_at_once, NULL);
	runtime_run(2, 0, waiting_at_once, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(one_after_the_other),
		TEST(at_once_and_not_yet_started),
		TEST(at_once_and_waiting),
	};

	return RUN(argc, argv, tests);
}
