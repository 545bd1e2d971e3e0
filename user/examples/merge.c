// SPDX-License-Identifier: MIT
/*
 * Numbers from two channels, until both are closed.
 *
 * prints:
 *	sum 118
 */
#include <stdio.h>

#include <fiber.h>

struct range {
	struct fiber_chan *chan;
	int from;
	int to;
};

static void count(void *arg)
{
	struct range *range = arg;

	for (int i = range->from; i < range->to; i++) {
		if (fiber_send(range->chan, &i))
			return;
	}
	fiber_chan_close(range->chan);
}

/* Returns the sum of all numbers, or -errno. */
static int add_up(struct fiber_chan *low, struct fiber_chan *high)
{
	int n;
	struct fiber_case cases[] = {
		{ .chan = low, .elem = &n, .op = FIBER_RECV },
		{ .chan = high, .elem = &n, .op = FIBER_RECV },
	};
	int open = 2;
	int sum = 0;

	while (open) {
		int i = fiber_select(cases, 2, 0);

		if (i < 0)
			return i;
		if (cases[i].result == 0) {
			sum += n;
		} else {
			/* Closed. Without a channel it is never ready again. */
			cases[i].chan = NULL;
			open--;
		}
	}
	return sum;
}

static int start(void *arg)
{
	struct range low = { .from = 0, .to = 5 };
	struct range high = { .from = 10, .to = 18 };

	(void)arg;
	if (fiber_chan_new(&low.chan, sizeof(int), 0, NULL) ||
	    fiber_chan_new(&high.chan, sizeof(int), 4, NULL) ||
	    fiber_go(count, &low) || fiber_go(count, &high))
		return 1;
	printf("sum %d\n", add_up(low.chan, high.chan));
	fiber_chan_put(low.chan);
	fiber_chan_put(high.chan);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
