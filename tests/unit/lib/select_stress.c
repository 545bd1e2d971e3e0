// SPDX-License-Identifier: MIT
/*
 * Plain calls and selects on both sides of four channels, each with its number
 * of elements to move: if one is lost, or moved twice, somebody waits for ever,
 * which the watch sees. STRESS_SECONDS sets how long it takes.
 */
#include <errno.h>

#include "harsh.h"

#define CHANNELS 4
#define EACH ROUNDS(5000)

static const size_t capacities[CHANNELS] = { 0, 0, 2, 3 };
static struct fiber_chan *chans[CHANNELS];
static int numbers[CHANNELS] = { 0, 1, 2, 3 };
static _Atomic long sums[CHANNELS];
static struct harsh_actor *all; /* who move elements, as one */

static int send_each(void *number)
{
	for (int i = 0; i < EACH; i++) {
		harsh_step(all, "send");
		send_int(chans[*(int *)number], i);
	}
	return 0;
}

static int receive_each(void *number)
{
	for (int i = 0; i < EACH; i++)
		sums[*(int *)number] += recv_int(chans[*(int *)number]);
	return 0;
}

static int select_each(int op)
{
	struct fiber_case cases[CHANNELS];
	int counts[CHANNELS] = { 0 };
	int value = 0;

	for (int i = 0; i < CHANNELS; i++)
		cases[i] = (struct fiber_case){ chans[i], &value, op, 0 };
	for (int i = 0; i < CHANNELS * EACH; i++) {
		int at;

		harsh_step(all, "select");
		/* Any of them will do, but the sum must not depend on which. */
		if (op == FIBER_SEND)
			value = 1;
		at = fiber_select(cases, CHANNELS,
				  i % 7 ? 0 : FIBER_SELECT_ORDERED);
		CHECK(at >= 0 && at < CHANNELS);
		CHECK_EQ(cases[at].result, 0);
		if (op == FIBER_RECV)
			sums[at] += value;
		if (++counts[at] == EACH)
			cases[at].chan = NULL;
	}
	CHECK_EQ(fiber_try_select(cases, CHANNELS, 0), -EAGAIN);
	return 0;
}

static int select_send(void *arg)
{
	(void)arg;
	return select_each(FIBER_SEND);
}

static int select_receive(void *arg)
{
	(void)arg;
	return select_each(FIBER_RECV);
}

static int do_one_job(void *arg)
{
	int job = *(int *)arg;

	if (job < CHANNELS)
		return send_each(&numbers[job]);
	if (job < 2 * CHANNELS)
		return receive_each(&numbers[job - CHANNELS]);
	return job % 2 ? select_send(NULL) : select_receive(NULL);
}

static void all_at_once(void)
{
	int jobs[2 * CHANNELS + 2];

	for (int i = 0; i < CHANNELS; i++) {
		chans[i] = new_chan(sizeof(int), capacities[i]);
		sums[i] = 0;
	}
	for (int i = 0; i < 2 * CHANNELS + 2; i++)
		jobs[i] = i;
	run_all(2 * CHANNELS + 2, do_one_job, jobs, sizeof(jobs[0]));
	for (int i = 0; i < CHANNELS; i++) {
		CHECK_EQ(sums[i], EACH * (EACH - 1l) / 2 + EACH);
		check_idle(chans[i]);
		fiber_chan_put(chans[i]);
	}
}

static void nothing_is_lost(void)
{
	int64_t end = test_now() + harsh_time(0, 1);

	harsh_watch();
	all = harsh_actor("all");
	do {
		run_shapes(0, all_at_once);
	} while (test_now() < end);
	harsh_unwatch();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(nothing_is_lost),
	};

	return RUN(argc, argv, tests);
}
