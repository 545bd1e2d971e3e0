// SPDX-License-Identifier: MIT
/*
 * Time, and what went wrong: a deadline that passes, and a file that is not
 * there.
 *
 * prints:
 *	The deadline has passed
 *	it took 20 ms or more
 *	No such file or directory
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <fiber.h>

#define MS 1000000ll

static int start(void *arg)
{
	int64_t began = fiber_now();
	struct fiber_chan *chan;
	int err;

	(void)arg;
	if (fiber_chan_new(&chan, sizeof(int), 0, NULL))
		return 1;
	/* Nobody sends. */
	err = fiber_recv_until(chan, NULL, fiber_after(20 * MS));
	printf("%s\n", fiber_strerror(err));
	if (fiber_now() - began >= 20 * MS)
		printf("it took 20 ms or more\n");
	fiber_chan_put(chan);

	/* This function has called the library: not errno, but */
	if (open("/none", O_RDONLY) < 0)
		printf("%s\n", strerror(fiber_errno()));
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
