// SPDX-License-Identifier: MIT
/*
 * Select: one case is done and the others are not, against other selects, plain
 * calls, close and deadlines.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fiber/select.h>

#include "chan.h"
#include "env.h"
#include "ledger.h"

#define LARGE 160
#define CHANS 2
#define SPARE 6
#define UNTOUCHED -1

static struct fiber_chan *chans[CHANS];
static int each;
static bool in_time;
static const int numbers[] = { 0, 1, 2, 3 };
#define NUMBER(i) ((void *)&numbers[i])

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (struct fiber_chan *const *)a;
	uintptr_t y = (uintptr_t) * (struct fiber_chan *const *)b;

	return x < y ? -1 : x > y;
}

/*
 * Select locks by address: which of the two is the first is the same in every
 * run of a seed.
 */
static void new_chans(size_t elem_size, size_t capacity)
{
	struct fiber_chan *c[CHANS + SPARE];
	int i;

	for (i = 0; i < CHANS + SPARE; i++)
		CHECK(!fiber_chan_new(&c[i], 1, 0, NULL));
	qsort(c, CHANS + SPARE, sizeof(c[0]), by_address);
	for (i = CHANS + SPARE; i-- > 0;)
		fiber_chan_put(c[i]);
	for (i = 0; i < CHANS; i++)
		CHECK(!fiber_chan_new(&chans[i], elem_size, capacity, NULL));
	CHECK(chans[0] < chans[1]);
	ledger_reset();
	in_time = false;
}

static void check_chans(void)
{
	int i;

	for (i = 0; i < CHANS; i++)
		ledger_drain(chans[i]);
	ledger_check();
}

/* What goes through two buffers is in order in each of them only. */
static int receiver(int number, const struct fiber_chan *c)
{
	return c->cap ? number * CHANS + (c == chans[1]) : number;
}

/* What a case has or gets; as large as the elements may be. */
union element {
	int value;
	char bytes[LARGE];
};

/*
 * One select of n cases, in which those that send have each an element of their
 * own. Returns what became of it: the result of the case, or -errno.
 */
static int select_once(int number, struct fiber_case *cases, int n)
{
	union element elements[4];
	int64_t deadline = in_time ? explore_now() + explore_choose(20) :
				     INT64_MAX;
	int at;
	int i;

	for (i = 0; i < n; i++) {
		memset(&elements[i], 0, sizeof(elements[i]));
		elements[i].value = cases[i].op == FIBER_SEND ?
					    ledger_next(number) :
					    UNTOUCHED;
		cases[i].elem = &elements[i];
	}
	at = fiber_select_until(cases, n, 0, deadline);
	for (i = 0; i < n; i++) {
		bool done = i == at && cases[i].result == 0;

		if (cases[i].op == FIBER_SEND)
			ledger_sent(elements[i].value, !done);
		else if (done)
			ledger_received(receiver(number, cases[i].chan),
					elements[i].value);
		else
			EXPECT_EQ(elements[i].value, UNTOUCHED);
	}
	if (at == -ETIMEDOUT)
		EXPECT(in_time && explore_now() >= deadline);
	return at < 0 ? at : cases[at].result;
}

static void select_send(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = chans[0], .op = FIBER_SEND },
		{ .chan = chans[1], .op = FIBER_SEND },
	};
	int i;

	for (i = 0; i < each; i++)
		EXPECT_EQ(select_once(*(const int *)arg, cases, 2), 0);
}

static void select_receive(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = chans[1], .op = FIBER_RECV },
		{ .chan = chans[0], .op = FIBER_RECV },
	};
	int i;

	for (i = 0; i < each; i++)
		EXPECT_EQ(select_once(*(const int *)arg, cases, 2), 0);
}

static void opposite_on(size_t elem_size, size_t capacity)
{
	new_chans(elem_size, capacity);
	each = 2;
	explore_add_fiber("sender 0", select_send, NUMBER(0));
	explore_add_client("sender 1", select_send, NUMBER(1));
	explore_add_fiber("receiver 0", select_receive, NUMBER(0));
	explore_add_fiber("receiver 1", select_receive, NUMBER(1));
	explore_run();
	check_chans();
}

static void opposite_shape(void)
{
	opposite_on(8, 0);
}

static void opposite_buffered_shape(void)
{
	opposite_on(8, 1);
}

static void opposite_boxed_shape(void)
{
	opposite_on(LARGE, 1);
}

/* Both send and receive in both channels, and twice in one of them. */
static void select_either(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = chans[0], .op = FIBER_SEND },
		{ .chan = chans[1], .op = FIBER_RECV },
		{ .chan = chans[0], .op = FIBER_RECV },
		{ .chan = chans[0], .op = FIBER_SEND },
	};
	int i;

	for (i = 0; i < each; i++)
		EXPECT_EQ(select_once(*(const int *)arg, cases, 4), 0);
}

static void duplicates_shape(void)
{
	new_chans(8, 0);
	each = 2;
	explore_add_fiber("either 0", select_either, NUMBER(0));
	explore_add_client("either 1", select_either, NUMBER(1));
	explore_run();
	check_chans();
}

static void three_duplicates_shape(void)
{
	new_chans(8, 0);
	each = 1;
	explore_add_fiber("either 0", select_either, NUMBER(0));
	explore_add_fiber("either 1", select_either, NUMBER(1));
	explore_add_fiber("either 2", select_either, NUMBER(2));
	explore_add_fiber("either 3", select_either, NUMBER(3));
	explore_run();
	check_chans();
}

static void send_each(void *arg)
{
	int number = *(const int *)arg;
	int value;
	int i;

	for (i = 0; i < each; i++) {
		value = ledger_next(number);
		EXPECT_EQ(fiber_send(chans[number], &value), 0);
		ledger_sent(value, 0);
	}
}

static void select_all(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = chans[0], .op = FIBER_RECV },
		{ .chan = NULL, .op = FIBER_RECV },
		{ .chan = chans[1], .op = FIBER_RECV },
	};
	int i;

	for (i = 0; i < 2 * each; i++)
		EXPECT_EQ(select_once(*(const int *)arg, cases, 3), 0);
}

static void plain_senders_shape(void)
{
	new_chans(sizeof(int), 0);
	each = 2;
	explore_add_fiber("sender 0", send_each, NUMBER(0));
	explore_add_fiber("sender 1", send_each, NUMBER(1));
	explore_add_fiber("select", select_all, NUMBER(0));
	explore_run();
	check_chans();
}

static void select_until_closed(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = chans[0], .op = FIBER_RECV },
		{ .chan = chans[1], .op = FIBER_SEND },
	};
	int err = 0;
	int i;

	for (i = 0; i < LEDGER_EACH && !err; i++)
		err = select_once(*(const int *)arg, cases, 2);
	EXPECT(!err || err == -EPIPE);
}

static void select_back(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = chans[1], .op = FIBER_RECV },
		{ .chan = chans[0], .op = FIBER_SEND },
	};
	int err = 0;
	int i;

	for (i = 0; i < LEDGER_EACH && !err; i++)
		err = select_once(*(const int *)arg, cases, 2);
	EXPECT(!err || err == -EPIPE);
}

static void close_both(void *arg)
{
	int first = explore_choose(2);

	(void)arg;
	explore_yield();
	EXPECT_EQ(fiber_chan_close(chans[first]), 0);
	EXPECT_EQ(fiber_chan_close(chans[!first]), 0);
}

static void close_shape(void)
{
	new_chans(8, 0);
	explore_add_fiber("select 0", select_until_closed, NUMBER(0));
	explore_add_client("select 1", select_back, NUMBER(1));
	explore_add_fiber("select 2", select_back, NUMBER(2));
	explore_add_fiber("closer", close_both, NULL);
	explore_run();
	check_chans();
}

static void select_in_time(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = chans[0], .op = FIBER_SEND },
		{ .chan = chans[1], .op = FIBER_RECV },
	};
	int i;

	for (i = 0; i < each; i++) {
		int err = select_once(*(const int *)arg, cases, 2);

		EXPECT(!err || err == -ETIMEDOUT);
	}
}

static void select_back_in_time(void *arg)
{
	struct fiber_case cases[] = {
		{ .chan = chans[1], .op = FIBER_SEND },
		{ .chan = chans[0], .op = FIBER_RECV },
	};
	int i;

	for (i = 0; i < each; i++) {
		int err = select_once(*(const int *)arg, cases, 2);

		EXPECT(!err || err == -ETIMEDOUT);
	}
}

static void deadline_on(size_t elem_size, size_t capacity)
{
	new_chans(elem_size, capacity);
	in_time = true;
	each = 3;
	explore_add_clock();
	explore_add_fiber("select 0", select_in_time, NUMBER(0));
	explore_add_client("select 1", select_back_in_time, NUMBER(1));
	explore_add_fiber("select 2", select_back_in_time, NUMBER(2));
	explore_run();
	check_chans();
}

static void deadline_shape(void)
{
	deadline_on(8, 0);
}

static void deadline_boxed_shape(void)
{
	deadline_on(LARGE, 1);
}

static void opposite_order(void)
{
	EXPLORE(opposite_shape, 10000);
}

static void opposite_order_buffered(void)
{
	EXPLORE(opposite_buffered_shape, 6000);
}

static void opposite_order_boxed(void)
{
	EXPLORE(opposite_boxed_shape, 3000);
}

static void duplicates(void)
{
	EXPLORE(duplicates_shape, 8000);
}

static void many_duplicates(void)
{
	EXPLORE(three_duplicates_shape, 6000);
}

static void against_plain_senders(void)
{
	EXPLORE(plain_senders_shape, 6000);
}

static void against_close(void)
{
	EXPLORE(close_shape, 8000);
}

static void against_deadlines(void)
{
	EXPLORE(deadline_shape, 8000);
}

static void against_deadlines_boxed(void)
{
	EXPLORE(deadline_boxed_shape, 4000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(opposite_order),	       TEST(opposite_order_buffered),
		TEST(opposite_order_boxed),    TEST(duplicates),
		TEST(many_duplicates),	       TEST(against_plain_senders),
		TEST(against_close),	       TEST(against_deadlines),
		TEST(against_deadlines_boxed),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
