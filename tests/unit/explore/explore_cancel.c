// SPDX-License-Identifier: MIT
/*
 * Cancellation: a wait that it ends did nothing, one that it misses did all, and
 * afterwards no call waits, unless it is masked.
 */
#include <errno.h>

#include <fiber/cancel.h>

#include "chan.h"
#include "core.h"
#include "env.h"
#include "ledger.h"

#define WHY 7

static struct fiber_chan *chan;
static struct fiber *victims[2];
static at(uint32_t) nr_ended; /* of the victims */
static bool at_the_end; /* the waiter was cancelled, and is masked again */
static bool may_time_out;
/* The victims are explore_add_fiber(), or explore_add_bound(). */
static struct fiber *(*add)(const char *name, void (*fn)(void *), void *arg);
static const int numbers[] = { 0, 1, 2, 3 };
#define NUMBER(i) ((void *)&numbers[i])

static int64_t some_deadline(void)
{
	return may_time_out ? explore_now() + explore_choose(20) : INT64_MAX;
}

static int send_one(int sender, int64_t deadline)
{
	int value = ledger_next(sender);
	int err = fiber_send_until(chan, &value, deadline);

	ledger_sent(value, err);
	return err;
}

static int receive_one(int receiver, int64_t deadline)
{
	int value = 0;
	int err = fiber_recv_until(chan, &value, deadline);

	if (!err)
		ledger_received(receiver, value);
	else
		EXPECT_EQ(value, 0);
	return err;
}

/* The victim sends as often as it can. Nobody else ends that. */
static void send_until_cancelled(void *arg)
{
	int err = 0;
	int i;

	for (i = 0; i < LEDGER_EACH - 1 && err != -ECANCELED; i++) {
		err = send_one(*(const int *)arg, some_deadline());
		EXPECT(!err || err == -ECANCELED ||
		       (may_time_out && err == -ETIMEDOUT));
	}
	if (err == -ECANCELED) {
		EXPECT_EQ(fiber_cancelled(), WHY);
		EXPECT_EQ(send_one(*(const int *)arg, INT64_MAX), -ECANCELED);
	}
	at_add(&nr_ended, 1);
}

static void receive_until_cancelled(void *arg)
{
	int err;

	do {
		err = receive_one(*(const int *)arg, some_deadline());
	} while (!err || err == -ETIMEDOUT);
	EXPECT_EQ(err, -ECANCELED);
	EXPECT_EQ(fiber_cancelled(), WHY);
	EXPECT_EQ(receive_one(*(const int *)arg, INT64_MAX), -ECANCELED);
	at_add(&nr_ended, 1);
}

static void send_until_closed(void *arg)
{
	int err;
	int i;

	for (i = 0; i < 2; i++) {
		err = send_one(*(const int *)arg, some_deadline());
		EXPECT(!err || err == -EPIPE ||
		       (may_time_out && err == -ETIMEDOUT));
	}
}

static void receive_until_closed(void *arg)
{
	int err;

	do {
		err = receive_one(*(const int *)arg, some_deadline());
	} while (!err || err == -ETIMEDOUT);
	EXPECT_EQ(err, -EPIPE);
}

/* Only when the victims have ended, the others are told to. */
static void cancel_and_close(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		explore_yield();
		EXPECT_EQ(fiber_cancel(victims[i], WHY), 0);
		EXPECT_EQ(fiber_cancel(victims[i], WHY + 1), 0);
	}
	while (at_load(&nr_ended, ACQUIRE) < 2)
		explore_wait_other(&nr_ended, "for victims");
	EXPECT_EQ(fiber_chan_close(chan), 0);
}

static void cancel_on(size_t capacity)
{
	CHECK(!fiber_chan_new(&chan, sizeof(int), capacity, NULL));
	ledger_reset();
	victims[0] = add("victim 0", send_until_cancelled, NUMBER(0));
	victims[1] = add("victim 1", receive_until_cancelled, NUMBER(0));
	at_store(&nr_ended, 0, RELAXED);
	explore_add_fiber("sender", send_until_closed, NUMBER(1));
	explore_add_fiber("receiver", receive_until_closed, NUMBER(1));
	explore_add_client("canceller", cancel_and_close, NULL);
	explore_run();
	ledger_drain(chan);
	ledger_check();
}

static void unbuffered_shape(void)
{
	may_time_out = false;
	cancel_on(0);
}

static void buffered_shape(void)
{
	may_time_out = false;
	cancel_on(1);
}

static void deadline_shape(void)
{
	may_time_out = true;
	explore_add_clock();
	cancel_on(0);
}

/* Masked, waits are as they would be without; then they are not. */
static void wait_masked(void *arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(fiber_cancel_mask(1), 0);
		EXPECT_EQ(receive_one(*(const int *)arg, some_deadline()), 0);
		EXPECT_EQ(fiber_cancel_mask(0), 1);
	}
	EXPECT_EQ(receive_one(*(const int *)arg, INT64_MAX), -ECANCELED);
	EXPECT_EQ(fiber_cancel_mask(1), 0);
	at_the_end = true;
	EXPECT_EQ(receive_one(*(const int *)arg, INT64_MAX), 0);
	EXPECT_EQ(fiber_cancelled(), WHY);
}

static void send_four(void *arg)
{
	int i;

	for (i = 0; i < 4; i++) {
		while (i == 3 && !at_the_end)
			explore_yield();
		EXPECT_EQ(send_one(*(const int *)arg, INT64_MAX), 0);
	}
}

static void cancel_once(void *arg)
{
	(void)arg;
	explore_yield();
	EXPECT_EQ(fiber_cancel(victims[0], WHY), 0);
}

static void masked_shape(void)
{
	CHECK(!fiber_chan_new(&chan, sizeof(int), 0, NULL));
	ledger_reset();
	may_time_out = false;
	at_the_end = false;
	victims[0] = add("victim", wait_masked, NUMBER(0));
	explore_add_fiber("sender", send_four, NUMBER(0));
	explore_add_client("canceller", cancel_once, NULL);
	explore_run();
	ledger_drain(chan);
	EXPECT_EQ(ledger_check(), 4);
}

static void cancel_unbuffered(void)
{
	add = explore_add_fiber;
	EXPLORE(unbuffered_shape, 10000);
}

static void cancel_buffered(void)
{
	add = explore_add_fiber;
	EXPLORE(buffered_shape, 6000);
}

static void cancel_against_deadlines(void)
{
	add = explore_add_fiber;
	EXPLORE(deadline_shape, 10000);
}

static void cancel_masked(void)
{
	add = explore_add_fiber;
	EXPLORE(masked_shape, 10000);
}

static void cancel_bound(void)
{
	add = explore_add_bound;
	EXPLORE(unbuffered_shape, 10000);
}

static void cancel_bound_against_deadlines(void)
{
	add = explore_add_bound;
	EXPLORE(deadline_shape, 10000);
}

static void cancel_bound_masked(void)
{
	add = explore_add_bound;
	EXPLORE(masked_shape, 10000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(cancel_unbuffered),
		TEST(cancel_buffered),
		TEST(cancel_against_deadlines),
		TEST(cancel_masked),
		TEST(cancel_bound),
		TEST(cancel_bound_against_deadlines),
		TEST(cancel_bound_masked),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
