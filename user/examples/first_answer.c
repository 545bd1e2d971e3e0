// SPDX-License-Identifier: MIT
/*
 * Ask several at once, take the first answer, and do not wait for longer than
 * a deadline.
 *
 * prints:
 *	server 1 was first
 */
#include <stdio.h>

#include <fiber.h>

#define MS 1000000ll
#define SERVERS 3

struct server {
	struct fiber_chan *answers;
	int number;
	int64_t takes_ns;
};

static int ask(void *arg)
{
	struct server *server = arg;

	/* Stands for something slow; cancelled when it is too late for it. */
	if (fiber_sleep(server->takes_ns))
		return 0;
	return fiber_send(server->answers, &server->number);
}

static int start(void *arg)
{
	struct server servers[SERVERS] = {
		{ .number = 0, .takes_ns = 300 * MS },
		{ .number = 1, .takes_ns = 20 * MS },
		{ .number = 2, .takes_ns = 500 * MS },
	};
	struct fiber *fibers[SERVERS];
	struct fiber_chan *answers;
	int64_t deadline = fiber_after(200 * MS);
	int winner;

	(void)arg;
	/* Room for all, so that whoever is too late does not wait for ever. */
	if (fiber_chan_new(&answers, sizeof(int), SERVERS, NULL))
		return 1;
	for (int i = 0; i < SERVERS; i++) {
		servers[i].answers = answers;
		if (fiber_spawn(&fibers[i], ask, &servers[i], NULL))
			return 1;
	}
	if (fiber_recv_until(answers, &winner, deadline) == 0)
		printf("server %d was first\n", winner);
	else
		printf("nobody answered in time\n");
	for (int i = 0; i < SERVERS; i++) {
		fiber_cancel(fibers[i], 1);
		fiber_join(fibers[i], NULL);
	}
	fiber_chan_put(answers);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
