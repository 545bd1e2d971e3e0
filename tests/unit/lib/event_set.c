// SPDX-License-Identifier: MIT
/*
 * An event lets all go on while it is set.
 */
#include <errno.h>
#include <pthread.h>

#include "fibers.h"

static struct fiber_event event = FIBER_EVENT_INIT;
static _Atomic int passed;

static int wait_for_it(void *arg)
{
	CHECK_EQ(fiber_event_wait(&event), 0);
	passed++;
	(void)arg;
	return 0;
}

static void *thread_waits(void *arg)
{
	CHECK_EQ(wait_for_it(arg), 0);
	return NULL;
}

static void set_and_clear(void)
{
	struct fiber *fibers[200];

	passed = 0;
	CHECK_EQ(fiber_event_clear(&event), 0);
	for (int i = 0; i < 200; i++)
		fibers[i] = spawn(wait_for_it, NULL);
	settle();
	CHECK_EQ(passed, 0);
	/* All who wait by then go on, though it is cleared at once. */
	CHECK_EQ(fiber_event_set(&event), 0);
	CHECK_EQ(fiber_event_clear(&event), 0);
	for (int i = 0; i < 200; i++)
		CHECK_EQ(join(fibers[i]), 0);
	CHECK_EQ(passed, 200);
	CHECK_EQ(fiber_event_wait_until(&event, 0), -ETIMEDOUT);
	CHECK_EQ(fiber_event_wait_until(&event, fiber_after(SEC)), -ETIMEDOUT);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(fiber_event_set(&event), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(fiber_event_wait(&event), 0);
	CHECK_EQ(fiber_event_wait_until(&event, 0), 0);
}

static void it_stays_set(void)
{
	run_shapes(FIBER_TEST_CLOCK, set_and_clear);
}

static void with_a_thread(void)
{
	pthread_t thread;

	for (int i = 0; i < ROUNDS(300); i++) {
		passed = 0;
		CHECK_EQ(fiber_event_clear(&event), 0);
		CHECK(!pthread_create(&thread, NULL, thread_waits, NULL));
		if (i % 2)
			fiber_yield();
		CHECK_EQ(passed, 0);
		CHECK_EQ(fiber_event_set(&event), 0);
		CHECK(!pthread_join(thread, NULL));
		CHECK_EQ(passed, 1);
	}
}

static void for_a_thread(void)
{
	/* No runtime yet. */
	with_a_thread();
	run_shapes(0, with_a_thread);
}

/* Two that set it for each other, in turns. */
static struct fiber_event turns[2];

static int take_turns(void *arg)
{
	int me = arg != NULL;

	for (int i = 0; i < ROUNDS(5000); i++) {
		CHECK_EQ(fiber_event_wait(&turns[me]), 0);
		CHECK_EQ(fiber_event_clear(&turns[me]), 0);
		CHECK_EQ(fiber_event_set(&turns[!me]), 0);
	}
	return 0;
}

static void two_take_turns(void)
{
	struct fiber *other;

	turns[0] = turns[1] = (struct fiber_event)FIBER_EVENT_INIT;
	other = spawn(take_turns, &turns);
	CHECK_EQ(fiber_event_set(&turns[0]), 0);
	CHECK_EQ(take_turns(NULL), 0);
	CHECK_EQ(join(other), 0);
}

static void none_is_missed(void)
{
	run_shapes(0, two_take_turns);
}

static void null_is_refused(void)
{
	CHECK_EQ(fiber_event_set(NULL), -EINVAL);
	CHECK_EQ(fiber_event_clear(NULL), -EINVAL);
	CHECK_EQ(fiber_event_wait(NULL), -EINVAL);
	CHECK_EQ(fiber_event_wait_until(NULL, 0), -EINVAL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(it_stays_set),
		TEST(for_a_thread),
		TEST(none_is_missed),
		TEST(null_is_refused),
	};

	return RUN(argc, argv, tests);
}
