// SPDX-License-Identifier: MIT
/*
 * Deadlines of all that a fiber does: a wait that one ends did nothing, one that
 * it misses did all, none that was popped or is masked ends anything, and none is
 * forgotten.
 */
#include <errno.h>

#include <fiber/cancel.h>
#include <fiber/deadline.h>

#include "chan.h"
#include "core.h"
#include "env.h"
#include "extra.h"
#include "ledger.h"

#define WHY 7

static struct fiber_chan *chan;
static struct fiber *victim;
static at(uint32_t) nr_ended; /* of those with deadlines */
static const int numbers[] = { 0, 1 };
#define NUMBER(i) ((void *)&numbers[i])

static int send_one(int sender)
{
	int value = ledger_next(sender);
	int err = fiber_send(chan, &value);

	ledger_sent(value, err);
	return err;
}

static int receive_one(int receiver)
{
	int value = 0;
	int err = fiber_recv(chan, &value);

	if (!err)
		ledger_received(receiver, value);
	else
		EXPECT_EQ(value, 0);
	return err;
}

/* Done with deadlines. The rest is what the end of a fiber does. */
static void end(void)
{
	struct fiber *f = _fiber_here()->cur;

	if (f->extra)
		_fiber_extra_end(f);
	_fiber_extra_free(f);
	at_add(&nr_ended, 1);
}

static int64_t push(void)
{
	return fiber_deadline_push(explore_now() + explore_choose(20));
}

/* It timed out? Then every call does. */
static void check(int err, int (*call)(int), int who)
{
	EXPECT(!err || err == -ETIMEDOUT);
	if (err == -ETIMEDOUT && explore_choose(2)) {
		EXPECT(explore_now() >= fiber_deadline());
		/* It may also have been done at once. */
		err = call(who);
		EXPECT(!err || err == -ETIMEDOUT);
	}
}

static void send_in_time(void *arg)
{
	int who = *(const int *)arg;
	int i;

	for (i = 0; i < 2; i++) {
		int64_t outer = push();
		int64_t inner = explore_choose(2) ? push() : outer;

		check(send_one(who), send_one, who);
		fiber_deadline_pop(inner);
		if (inner != outer)
			check(send_one(who), send_one, who);
		fiber_deadline_pop(outer);
	}
	end();
}

static void receive_in_time(void *arg)
{
	int who = *(const int *)arg;
	int err;
	int i;

	for (i = 0; i < 3; i++) {
		int64_t outer = push();

		check(receive_one(who), receive_one, who);
		fiber_deadline_pop(outer);
	}
	end();
	/* And one that none of them may end. */
	err = receive_one(who);
	EXPECT(!err || err == -EPIPE);
}

static void receive_until_closed(void *arg)
{
	int err;

	do {
		err = receive_one(*(const int *)arg);
	} while (!err);
	EXPECT_EQ(err, -EPIPE);
}

static void send_until_closed(void *arg)
{
	int i;

	for (i = 0; i < LEDGER_EACH && !send_one(*(const int *)arg); i++)
		;
}

/* When those with deadlines have ended, the others are told to. */
static void close_at_the_end(void *arg)
{
	while (at_load(&nr_ended, ACQUIRE) < (uintptr_t)arg)
		explore_wait_other(&nr_ended, "for those with deadlines");
	EXPECT_EQ(fiber_chan_close(chan), 0);
}

static void init(size_t capacity)
{
	CHECK(!fiber_chan_new(&chan, sizeof(int), capacity, NULL));
	ledger_reset();
	at_store(&nr_ended, 0, RELAXED);
	explore_add_clock();
}

static void run(void)
{
	explore_run();
	ledger_drain(chan);
	ledger_check();
}

static void partners_on(size_t capacity)
{
	init(capacity);
	explore_add_fiber("sender in time", send_in_time, NUMBER(0));
	explore_add_fiber("receiver in time", receive_in_time, NUMBER(0));
	explore_add_fiber("receiver", receive_until_closed, NUMBER(1));
	explore_add_client("sender", send_until_closed, NUMBER(1));
	explore_add_client("closer", close_at_the_end, (void *)2);
	run();
}

static void unbuffered_shape(void)
{
	partners_on(0);
}

static void buffered_shape(void)
{
	partners_on(1);
}

/* Masked, only an element ends a wait, whatever came before. */
static void receive_masked(void *arg)
{
	int who = *(const int *)arg;
	int i;

	for (i = 0; i < 2; i++) {
		int64_t outer = push();

		EXPECT_EQ(fiber_cancel_mask(1), 0);
		EXPECT_EQ(receive_one(who), 0);
		EXPECT_EQ(fiber_cancel_mask(0), 1);
		check(receive_one(who), receive_one, who);
		fiber_deadline_pop(outer);
	}
	EXPECT_EQ(receive_one(who), 0);
	end();
}

static void masked_shape(void)
{
	init(0);
	explore_add_fiber("receiver", receive_masked, NUMBER(0));
	explore_add_fiber("sender", send_until_closed, NUMBER(0));
	explore_add_client("closer", close_at_the_end, (void *)1);
	run();
}

/* Both may come at any time. The one does not hide the other. */
static void receive_until_cancelled(void *arg)
{
	int who = *(const int *)arg;
	int64_t outer = push();
	int err;

	do {
		err = receive_one(who);
		EXPECT(!err || err == -ETIMEDOUT || err == -ECANCELED);
	} while (err != -ECANCELED);
	EXPECT_EQ(fiber_cancelled(), WHY);
	EXPECT_EQ(receive_one(who), -ECANCELED);
	fiber_deadline_pop(outer);
	EXPECT_EQ(receive_one(who), -ECANCELED);
	EXPECT_EQ(fiber_cancel_mask(1), 0);
	EXPECT_EQ(push(), FIBER_FOREVER);
	check(receive_one(who), receive_one, who);
	end();
}

static void cancel_once(void *arg)
{
	(void)arg;
	explore_yield();
	EXPECT_EQ(fiber_cancel(victim, WHY), 0);
}

static void cancel_shape(void)
{
	init(0);
	victim = explore_add_fiber("receiver", receive_until_cancelled,
				   NUMBER(0));
	explore_add_fiber("sender", send_until_closed, NUMBER(0));
	explore_add_client("canceller", cancel_once, NULL);
	explore_add_client("closer", close_at_the_end, (void *)1);
	run();
}

/* A thread that is no worker has it too. */
static void thread_shape(void)
{
	explore_env.clock_is_virtual = explore_choose(2);
	init(0);
	explore_add_client("receiver", receive_in_time, NUMBER(0));
	explore_add_fiber("sender", send_until_closed, NUMBER(0));
	explore_add_client("closer", close_at_the_end, (void *)1);
	run();
}

static void deadlines_unbuffered(void)
{
	EXPLORE(unbuffered_shape, 10000);
}

static void deadlines_buffered(void)
{
	EXPLORE(buffered_shape, 6000);
}

static void deadlines_masked(void)
{
	EXPLORE(masked_shape, 10000);
}

static void deadlines_against_cancellation(void)
{
	EXPLORE(cancel_shape, 10000);
}

static void deadlines_of_a_thread(void)
{
	EXPLORE(thread_shape, 6000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(deadlines_unbuffered),
		TEST(deadlines_buffered),
		TEST(deadlines_masked),
		TEST(deadlines_against_cancellation),
		TEST(deadlines_of_a_thread),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
