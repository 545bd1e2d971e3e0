// SPDX-License-Identifier: MIT
/*
 * A program that stays in its own thread and lets fibers work for it.
 *
 * prints:
 *	36
 */
#include <stdio.h>

#include <fiber.h>

#define SECOND 1000000000ll

static void square(void *chan)
{
	int n;

	while (fiber_recv(chan, &n) == 0) {
		n *= n;
		if (fiber_send(chan, &n))
			break;
	}
}

int main(void)
{
	struct fiber_config config = {
		.size = sizeof(config),
		.workers = 2,
		.stack_size = 128 * 1024,
	};
	struct fiber_chan *chan;
	int n = 6;
	int err = fiber_start(&config);

	if (err) {
		fprintf(stderr, "start: %s\n", fiber_strerror(err));
		return 1;
	}
	if (fiber_chan_new(&chan, sizeof(n), 0, NULL) || fiber_go(square, chan))
		return 1;

	/* Channels work in this thread as they do in fibers. */
	if (fiber_send(chan, &n) || fiber_recv(chan, &n))
		return 1;
	printf("%d\n", n);

	/* Cancels the fiber, whose fiber_recv() then fails, and waits for it. */
	if (fiber_stop_until(fiber_after(10 * SECOND)))
		return 1;
	fiber_chan_put(chan);
	return 0;
}
