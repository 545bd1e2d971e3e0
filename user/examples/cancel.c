// SPDX-License-Identifier: MIT
/*
 * A fiber that is cancelled, and says goodbye.
 *
 * prints:
 *	got 1
 *	cancelled, for reason 7
 *	the log has: goodbye
 */
#include <stdio.h>

#include <fiber.h>

struct channels {
	struct fiber_chan *jobs;
	struct fiber_chan *log;
};

static int work(void *arg)
{
	const char *goodbye = "goodbye";
	struct channels *channels = arg;
	int job;

	while (fiber_recv(channels->jobs, &job) == 0)
		printf("got %d\n", job);
	printf("cancelled, for reason %d\n", fiber_cancelled());

	/* Without the mask this would fail with -ECANCELED too. */
	fiber_cancel_mask(1);
	return fiber_send(channels->log, &goodbye);
}

static int start(void *arg)
{
	struct channels channels;
	struct fiber *fiber;
	const char *line;
	int job = 1;

	(void)arg;
	if (fiber_chan_new(&channels.jobs, sizeof(job), 0, NULL) ||
	    fiber_chan_new(&channels.log, sizeof(line), 0, NULL) ||
	    fiber_spawn(&fiber, work, &channels, NULL) ||
	    fiber_send(channels.jobs, &job) || fiber_cancel(fiber, 7) ||
	    fiber_recv(channels.log, &line) || fiber_join(fiber, NULL))
		return 1;
	printf("the log has: %s\n", line);
	fiber_chan_put(channels.jobs);
	fiber_chan_put(channels.log);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
