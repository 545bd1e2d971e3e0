// SPDX-License-Identifier: MIT
/*
 * The park word alone: of all who try to end a wait one does, whenever it comes,
 * and the waiter goes on once, with what that one said.
 */
#include <errno.h>

#include "core.h"
#include "env.h"
#include "park.h"

#define WAITS 4
#define SAYS 100 /* and who */

static struct fiber *waiter;
static uint64_t first_ticket;
static at(uint32_t) begun; /* waits that may be ended */
static int winners[WAITS];
static bool may_time_out;

static void wait_often(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < WAITS; i++) {
		int64_t deadline = may_time_out ?
					   explorer.now + explore_choose(20) :
					   INT64_MAX;
		struct fiber_waiter *fired;
		int outcome;

		at_store(&begun, i + 1, RELEASE);
		outcome = _fiber_park_wait(_fiber_here(), waiter, deadline,
					   &fired);
		if (outcome == -ETIMEDOUT && may_time_out) {
			EXPECT(explorer.now >= deadline);
			EXPECT_EQ(winners[i], 0);
			continue;
		}
		EXPECT_EQ(outcome, winners[i]);
		EXPECT(fired == (void *)&winners[i]);
	}
}

/* Each tries to end each wait, and the one before once more. */
static void end_often(void *arg)
{
	int number = *(const int *)arg;
	int i;

	for (i = 0; i < WAITS; i++) {
		uint64_t ticket = first_ticket + i * FIBER_PARK_GENERATION;
		uint64_t won;

		while (at_load(&begun, ACQUIRE) <= (uint32_t)i)
			explore_wait_other(&begun, "for a wait");
		won = _fiber_park_claim(waiter, ticket);
		if (!won)
			continue;
		EXPECT_EQ(winners[i], 0);
		winners[i] = SAYS + number;
		fiber_park_wake(_fiber_here(), waiter, won, (void *)&winners[i],
				winners[i]);
		EXPECT_EQ(_fiber_park_claim(waiter, ticket), 0);
	}
}

static void run_waits(struct fiber *f)
{
	static const int numbers[] = { 1, 2 };
	int i;

	waiter = f;
	first_ticket = _fiber_park_ticket(f);
	at_store(&begun, 0, RELAXED);
	for (i = 0; i < WAITS; i++)
		winners[i] = 0;
	explore_add_fiber("claimer 1", end_often, (void *)&numbers[0]);
	explore_add_client("claimer 2", end_often, (void *)&numbers[1]);
	explore_run();
	EXPECT_EQ(_fiber_park_ticket(f),
		  first_ticket + WAITS * FIBER_PARK_GENERATION);
}

static void parked_fiber(void)
{
	may_time_out = false;
	run_waits(explore_add_fiber("waiter", wait_often, NULL));
}

static void parked_thread(void)
{
	may_time_out = false;
	run_waits(explore_add_client("waiter", wait_often, NULL));
}

static void fiber_with_deadline(void)
{
	may_time_out = true;
	explore_add_clock();
	run_waits(explore_add_fiber("waiter", wait_often, NULL));
}

static void thread_with_deadline(void)
{
	may_time_out = true;
	run_waits(explore_add_client("waiter", wait_often, NULL));
}

static void thread_with_alarm(void)
{
	explore_env.clock_is_virtual = true;
	explore_add_clock();
	thread_with_deadline();
}

static void two_claim_a_fiber(void)
{
	EXPLORE(parked_fiber, 6000);
}

static void two_claim_a_thread(void)
{
	EXPLORE(parked_thread, 6000);
}

static void two_and_an_alarm_claim_a_fiber(void)
{
	EXPLORE(fiber_with_deadline, 6000);
}

static void two_and_the_kernel_claim_a_thread(void)
{
	EXPLORE(thread_with_deadline, 6000);
}

static void two_and_an_alarm_claim_a_thread(void)
{
	EXPLORE(thread_with_alarm, 6000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(two_claim_a_fiber),
		TEST(two_claim_a_thread),
		TEST(two_and_an_alarm_claim_a_fiber),
		TEST(two_and_the_kernel_claim_a_thread),
		TEST(two_and_an_alarm_claim_a_thread),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
