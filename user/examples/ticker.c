// SPDX-License-Identifier: MIT
/*
 * A ticker, and a timer that ends it.
 *
 * prints:
 *	tick
 *	tick
 *	tick
 *	time is up
 */
#include <stdio.h>

#include <fiber.h>

#define SECOND 1000000000ll

enum {
	TICK,
	END
};

static void tick_until(struct fiber_timer *ticker, struct fiber_timer *end)
{
	int64_t when;
	struct fiber_case cases[] = {
		{ .chan = fiber_timer_chan(ticker),
		  .elem = &when,
		  .op = FIBER_RECV },
		{ .chan = fiber_timer_chan(end),
		  .elem = &when,
		  .op = FIBER_RECV },
	};

	while (fiber_select(cases, 2, 0) == 0)
		printf("tick\n");
	printf("time is up\n");
}

static int start(void *arg)
{
	struct fiber_timer *ticker;
	struct fiber_timer *end;

	(void)arg;
	if (fiber_timer_new(&ticker, fiber_after(SECOND), SECOND) ||
	    fiber_timer_new(&end, fiber_after(7 * SECOND / 2), 0))
		return 1;
	tick_until(ticker, end);
	fiber_timer_free(ticker);
	fiber_timer_free(end);
	return 0;
}

int main(void)
{
	/* A clock that jumps: to try it takes no time. */
	struct fiber_config config = {
		.size = sizeof(config),
		.flags = FIBER_TEST_CLOCK,
	};

	return fiber_run(start, NULL, &config);
}
