// SPDX-License-Identifier: MIT
/*
 * A channel with room for two: what to do when it is full, or empty.
 *
 * prints:
 *	sent 1
 *	sent 2
 *	3: It cannot be done without waiting
 *	3: The deadline has passed
 *	received 1
 *	received 2
 *	The channel is closed
 */
#include <stdio.h>

#include <fiber.h>

#define MS 1000000ll

static int start(void *arg)
{
	struct fiber_chan *chan;
	int n;
	int err;

	(void)arg;
	if (fiber_chan_new(&chan, sizeof(n), 2, NULL))
		return 1;
	for (n = 1; !(err = fiber_try_send(chan, &n)); n++)
		printf("sent %d\n", n);
	printf("%d: %s\n", n, fiber_strerror(err));

	/* Nobody receives. */
	err = fiber_send_until(chan, &n, fiber_after(5 * MS));
	printf("%d: %s\n", n, fiber_strerror(err));

	/* What is in the channel stays there. */
	fiber_chan_close(chan);
	while (!(err = fiber_recv(chan, &n)))
		printf("received %d\n", n);
	printf("%s\n", fiber_strerror(err));
	fiber_chan_put(chan);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
