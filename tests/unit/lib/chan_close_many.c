// SPDX-License-Identifier: MIT
/*
 * A close tells all who wait, however many they are.
 */
#include <errno.h>
#include <stdio.h>

#include "fibers.h"

#define MANY ROUNDS(100000)
/* The thread sanitizer has no more contexts. */
#define MILLION (TEST_SLOWER > 1 ? 20000 : 1000000)

static _Atomic int told;
static int waiters;

static void wait_for_close(void *c)
{
	CHECK_EQ(fiber_recv(c, NULL), -EPIPE);
	told++;
	fiber_chan_put(c);
}

static void wait_for_close_sending(void *c)
{
	int value = 1;

	CHECK_EQ(fiber_send(c, &value), -EPIPE);
	told++;
	fiber_chan_put(c);
}

static void close_under(void (*fn)(void *))
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);

	told = 0;
	for (int i = 0; i < waiters; i++)
		CHECK_EQ(fiber_go(fn, fiber_chan_get(c)), 0);
	settle();
	CHECK_EQ(told, 0);
	CHECK_EQ(fiber_chan_close(c), 0);
	settle();
	CHECK_EQ(told, waiters);
	fiber_chan_put(c);
}

static void receivers(void)
{
	close_under(wait_for_close);
}

static void senders(void)
{
	close_under(wait_for_close_sending);
}

/* As many stacks are not to be had with every guard, nor on every machine. */
static void need_stacks(int n)
{
	unsigned long available = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	CHECK(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lu", &available) == 1)
			break;
	fclose(file);
	if (available / 6 < (unsigned long)n)
		test_skip("%d stacks take more than %lu KiB of memory", n,
			  available);
	waiters = n;
}

static void skip_without_guards(void)
{
	struct fiber_status status = { .size = sizeof(status) };

	CHECK_EQ(fiber_status(&status), 0);
	if (status.guard != FIBER_GUARDS_INSTALL && waiters > 10000)
		waiters = 10000;
}

static void many_receivers(void)
{
	skip_without_guards();
	receivers();
}

static void many_senders(void)
{
	skip_without_guards();
	senders();
}

static void tells_many_receivers(void)
{
	need_stacks(MANY);
	run_with(2, FIBER_TEST_CLOCK, many_receivers);
}

static void tells_many_senders(void)
{
	need_stacks(MANY);
	run_with(2, FIBER_TEST_CLOCK, many_senders);
}

static void tells_a_million(void)
{
	need_stacks(MILLION);
	run_with(2, FIBER_TEST_CLOCK, many_receivers);
}

static void in_every_shape(void)
{
	waiters = 5000;
	run_shapes(FIBER_TEST_CLOCK, receivers);
	run_shapes(FIBER_TEST_CLOCK, senders);
}

/* With 64 places each a few are a million as well. */
static void wait_often(void *c)
{
	struct fiber_case cases[FIBER_CASES_MAX];
	int at;

	for (int i = 0; i < FIBER_CASES_MAX; i++)
		cases[i] = (struct fiber_case){ c, NULL, FIBER_RECV, 0 };
	at = fiber_select(cases, FIBER_CASES_MAX, 0);
	CHECK(at >= 0);
	CHECK_EQ(cases[at].result, -EPIPE);
	told++;
	fiber_chan_put(c);
}

static void selects(void)
{
	close_under(wait_often);
}

static void tells_many_selects(void)
{
	waiters = ROUNDS(16000);
	run_with(2, FIBER_TEST_CLOCK, selects);
	waiters = ROUNDS(1000);
	run_shapes(FIBER_TEST_CLOCK, selects);
}

/* While some come, some wait, and some are told already. */
static struct fiber_chan *all_told;

static void wait_and_count(void *c)
{
	CHECK_EQ(fiber_recv(c, NULL), -EPIPE);
	fiber_chan_put(c);
	if (++told == waiters)
		CHECK_EQ(fiber_chan_close(all_told), 0);
}

static void close_amidst(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), 0);

	told = 0;
	all_told = new_chan(0, 0);
	for (int i = 0; i < waiters; i++) {
		CHECK_EQ(fiber_go(wait_and_count, fiber_chan_get(c)), 0);
		if (i == waiters / 2)
			CHECK_EQ(fiber_chan_close(c), 0);
		if (i % 64 == 0)
			fiber_yield();
	}
	CHECK_EQ(fiber_recv(all_told, NULL), -EPIPE);
	fiber_chan_put(all_told);
	fiber_chan_put(c);
}

static void while_they_come(void)
{
	waiters = 5000;
	run_shapes(0, close_amidst);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(in_every_shape),	    TEST(while_they_come),
		TEST(tells_many_receivers), TEST(tells_many_senders),
		TEST(tells_many_selects),   TEST(tells_a_million),
	};

	return RUN(argc, argv, tests);
}
