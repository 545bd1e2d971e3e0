// SPDX-License-Identifier: MIT
/*
 * The end of fibers, with the library's own scheduler: joined by many, by none,
 * too early and too late; cancelled while they run, wait, or are about to.
 */
#include <errno.h>

#include <fiber/cancel.h>

#include "chan.h"
#include "core.h"
#include "workers.h"

#define WHY 3

static struct fiber *fiber; /* with a reference of main's */
static struct fiber_chan *chan;
static at(uint32_t) done; /* how many have come to their end */

static struct fiber *spawn(int (*fn)(void *), void *arg)
{
	struct fiber *f;

	explore_spawn(&f, fn, arg);
	return f;
}

static void wait_for_done(uint32_t n)
{
	while (at_load(&done, ACQUIRE) < n)
		explore_wait_other(&done, "for all to be done");
}

static int yield_and_return(void *arg)
{
	int i;

	for (i = 0; i < (intptr_t)arg; i++)
		fiber_yield();
	return (intptr_t)arg;
}

/* With a reference of its own, which the join gives back. */
static int join_too(void *arg)
{
	EXPECT_EQ(explore_join(arg), 2);
	return 0;
}

static void join_by_three(void *arg)
{
	struct fiber *others[2];
	int i;

	(void)arg;
	fiber = spawn(yield_and_return, (void *)2);
	for (i = 0; i < 2; i++)
		others[i] = spawn(join_too, fiber_get(fiber));
	EXPECT_EQ(explore_join(fiber), 2);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(explore_join(others[i]), 0);
	explore_stop_workers();
}

/* Joins that give up leave the reference; the last one gets the result. */
static void join_in_time(void *arg)
{
	int result = -1;
	int err;

	(void)arg;
	fiber = spawn(yield_and_return, (void *)3);
	err = fiber_try_join(fiber, &result);
	EXPECT(!err || err == -EAGAIN);
	if (err)
		err = fiber_join_until(fiber, &result, explore_now() + 1);
	EXPECT(!err || err == -ETIMEDOUT);
	if (err)
		err = fiber_join(fiber, &result);
	EXPECT_EQ(err, 0);
	EXPECT_EQ(result, 3);
	explore_stop_workers();
}

static void count_end(void *arg)
{
	(void)arg;
	fiber_yield();
	at_add(&done, 1);
}

static int spawn_and_forget(void *arg)
{
	fiber_put(spawn(yield_and_return, arg));
	EXPECT_EQ(fiber_go(count_end, NULL), 0);
	at_add(&done, 1);
	return 0;
}

/* Nobody joins: they end all the same, and are gone. */
static void forget_all(void *arg)
{
	int i;

	for (i = 0; i < 2; i++)
		fiber_put(spawn(spawn_and_forget, arg));
	EXPECT_EQ(fiber_go(count_end, NULL), 0);
	wait_for_done(5);
	explore_stop_workers();
}

static int receive_until_cancelled(void *arg)
{
	int value;
	int n = 0;

	(void)arg;
	while (!fiber_recv(chan, &value))
		n += value;
	EXPECT_EQ(fiber_cancelled(), WHY);
	EXPECT_EQ(fiber_recv(chan, &value), -ECANCELED);
	return n;
}

/* Two messages in the way, and the cancellation after either of them. */
static void cancel_receiver(void *arg)
{
	int value = 1;
	int sent = 0;
	int err;
	int i;

	(void)arg;
	CHECK(!fiber_chan_new(&chan, sizeof(int), 0, NULL));
	fiber = spawn(receive_until_cancelled, NULL);
	for (i = 0; i < 3; i++) {
		if (i == 2)
			err = fiber_cancel(fiber, WHY);
		else
			err = fiber_send_until(chan, &value,
					       explore_now() + 20);
		EXPECT(!err || err == -ETIMEDOUT);
		sent += i < 2 && !err;
	}
	EXPECT_EQ(explore_join(fiber), sent);
	fiber_chan_put(chan);
	explore_stop_workers();
}

static int cancel_it(void *arg)
{
	int err = fiber_cancel(arg, WHY);

	EXPECT(!err || err == -ESRCH);
	fiber_put(arg);
	return 0;
}

static int receive_or_end(void *arg)
{
	int value;
	int err = fiber_recv(chan, &value);

	(void)arg;
	EXPECT(!err || err == -ECANCELED);
	return err;
}

/* The element and the cancellation come at once, from two workers. */
static void cancel_and_send(void *arg)
{
	struct fiber *canceller;
	int value = 1;
	int err;

	(void)arg;
	CHECK(!fiber_chan_new(&chan, sizeof(int), 0, NULL));
	fiber = spawn(receive_or_end, NULL);
	canceller = spawn(cancel_it, fiber_get(fiber));
	err = fiber_send_until(chan, &value, explore_now() + 20);
	EXPECT(!err || err == -ETIMEDOUT);
	EXPECT_EQ(explore_join(canceller), 0);
	EXPECT_EQ(explore_join(fiber), err ? -ECANCELED : 0);
	fiber_chan_put(chan);
	explore_stop_workers();
}

/* Fewer stacks than fibers: who finds none is fed later. */
static void spawn_more_than_stacks(void *arg)
{
	struct fiber *fibers[4];
	intptr_t n = (intptr_t)arg;
	intptr_t made = 0;
	intptr_t i;
	int err;

	while (made < n) {
		err = fiber_spawn(&fibers[made], yield_and_return, (void *)made,
				  NULL);
		EXPECT(!err || err == -ENOMEM);
		if (err)
			explore_yield();
		else
			made++;
	}
	for (i = 0; i < n; i++)
		EXPECT_EQ(explore_join(fibers[i]), i);
	explore_stop_workers();
}

static void run_main(unsigned int workers, void (*fn)(void *), int n)
{
	at_store(&done, 0, RELAXED);
	explore_add_workers(workers, 0);
	explore_add_client("main", fn, (void *)(intptr_t)n);
	explore_run();
	explore_check_workers();
}

static void three_shape(void)
{
	run_main(2, join_by_three, 0);
}

static void in_time_shape(void)
{
	run_main(2, join_in_time, 0);
}

static void forget_shape(void)
{
	run_main(2, forget_all, 1);
}

static void cancel_shape(void)
{
	run_main(2, cancel_receiver, 0);
}

static void cancel_and_send_shape(void)
{
	run_main(2, cancel_and_send, 0);
}

static void starved_shape(void)
{
	explore_set_stacks(2);
	explore_add_monitor();
	run_main(1, spawn_more_than_stacks, 4);
}

static void joined_by_three(void)
{
	EXPLORE(three_shape, 5000);
}

static void joined_in_time(void)
{
	EXPLORE(in_time_shape, 4000);
}

static void joined_by_nobody(void)
{
	EXPLORE(forget_shape, 4000);
}

static void cancelled_between_elements(void)
{
	EXPLORE(cancel_shape, 4000);
}

static void cancelled_at_an_element(void)
{
	EXPLORE(cancel_and_send_shape, 5000);
}

static void starved_of_stacks(void)
{
	EXPLORE(starved_shape, 1000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(joined_by_three),	       TEST(joined_in_time),
		TEST(joined_by_nobody),	       TEST(cancelled_between_elements),
		TEST(cancelled_at_an_element), TEST(starved_of_stacks),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
