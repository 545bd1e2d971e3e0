// SPDX-License-Identifier: MIT
/*
 * The least: two fibers and a channel between them.
 *
 * prints:
 *	0
 *	1
 *	2
 */
#include <stdio.h>

#include <fiber.h>

static void producer(void *chan)
{
	for (int i = 0; i < 3; i++)
		fiber_send(chan, &i);
	fiber_chan_close(chan);
}

static int start(void *arg)
{
	struct fiber_chan *chan;
	int i;

	(void)arg;
	if (fiber_chan_new(&chan, sizeof(i), 0, NULL) ||
	    fiber_go(producer, chan))
		return 1;
	while (fiber_recv(chan, &i) == 0)
		printf("%d\n", i);
	fiber_chan_put(chan);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
