// SPDX-License-Identifier: MIT
/*
 * What the runtime says of itself.
 *
 * prints:
 *	2 workers
 *	101 fibers
 *	blocking is seen by: monitor
 */
#include <stdio.h>

#include <fiber.h>

static void wait_for_close(void *chan)
{
	fiber_recv(chan, NULL);
}

static int start(void *chan)
{
	struct fiber_status status = { .size = sizeof(status) };

	for (int i = 0; i < 100; i++) {
		if (fiber_go(wait_for_close, chan))
			return 1;
	}
	if (fiber_status(&status))
		return 1;
	printf("%u workers\n", status.workers);
	printf("%llu fibers\n", (unsigned long long)status.fibers);
	printf("blocking is seen by: %s\n", status.blocking);
	if (status.why[0])
		fprintf(stderr, "the last failure: %s\n", status.why);
	return fiber_chan_close(chan);
}

int main(void)
{
	struct fiber_config config = { .size = sizeof(config), .workers = 2 };
	struct fiber_chan *chan;
	int result;

	if (fiber_chan_new(&chan, 0, 0, NULL))
		return 1;
	result = fiber_run(start, chan, &config);
	fiber_chan_put(chan);
	return result;
}
