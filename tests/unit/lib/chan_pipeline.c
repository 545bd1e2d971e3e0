// SPDX-License-Identifier: MIT
/*
 * Long chains of fibers hand elements on, and take themselves down.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

static size_t capacity;

struct stage {
	struct fiber_chan *in;
	struct fiber_chan *out;
	int prime;
};

static int count_up(void *out)
{
	int i = 2;

	while (fiber_send(out, &i) == 0)
		i++;
	fiber_chan_put(out);
	return 0;
}

/* Hand on what the prime does not divide. */
static int filter(void *arg)
{
	struct stage *stage = arg;
	int value;

	while (fiber_recv(stage->in, &value) == 0) {
		if (value % stage->prime && fiber_send(stage->out, &value))
			break;
	}
	/* Whoever sends here shall end as well. */
	fiber_chan_close(stage->in);
	fiber_chan_put(stage->in);
	fiber_chan_put(stage->out);
	free(stage);
	return 0;
}

#define PRIMES (TEST_SLOWER > 1 ? 20 : 200)

static void sieve(void)
{
	struct fiber_chan *c = new_chan(sizeof(int), capacity);
	struct fiber *fibers[PRIMES + 1];
	int prime = 0;

	fibers[0] = spawn(count_up, fiber_chan_get(c));
	for (int i = 1; i <= PRIMES; i++) {
		struct stage *stage = malloc(sizeof(*stage));

		CHECK(stage);
		prime = recv_int(c);
		stage->prime = prime;
		stage->in = c;
		stage->out = c = new_chan(sizeof(int), capacity);
		fiber_chan_get(c);
		fibers[i] = spawn(filter, stage);
	}
	CHECK_EQ(prime, PRIMES == 200 ? 1223 : 71);
	CHECK_EQ(fiber_chan_close(c), 0);
	fiber_chan_put(c);
	for (int i = 0; i <= PRIMES; i++)
		CHECK_EQ(join(fibers[i]), 0);
}

static void sieve_of_meetings(void)
{
	capacity = 0;
	run_shapes(0, sieve);
}

static void sieve_of_queues(void)
{
	capacity = 2;
	run_shapes(0, sieve);
}

static int add_one(void *arg)
{
	struct stage *stage = arg;

	send_int(stage->out, recv_int(stage->in) + 1);
	return 0;
}

#define LINKS ROUNDS(5000)

static void daisy_chain(void)
{
	struct fiber_chan **chans = calloc(LINKS + 1, sizeof(*chans));
	struct fiber **fibers = calloc(LINKS, sizeof(*fibers));
	struct stage *stages = calloc(LINKS, sizeof(*stages));

	CHECK(chans && fibers && stages);
	for (int i = 0; i <= LINKS; i++)
		chans[i] = new_chan(sizeof(int), 0);
	for (int i = 0; i < LINKS; i++) {
		stages[i].in = chans[i];
		stages[i].out = chans[i + 1];
		fibers[i] = spawn(add_one, &stages[i]);
	}
	send_int(chans[0], 0);
	CHECK_EQ(recv_int(chans[LINKS]), LINKS);
	for (int i = 0; i < LINKS; i++)
		CHECK_EQ(join(fibers[i]), 0);
	for (int i = 0; i <= LINKS; i++)
		fiber_chan_put(chans[i]);
	free(chans);
	free(fibers);
	free(stages);
}

static void chain_of_thousands(void)
{
	run_shapes(0, daisy_chain);
}

/* Channels are elements themselves: the answer comes by the one that is sent. */
struct request {
	struct fiber_chan *answer;
	int value;
};

static int serve(void *c)
{
	struct request request;

	while (fiber_recv(c, &request) == 0) {
		send_int(request.answer, request.value * 2);
		fiber_chan_put(request.answer);
	}
	return 0;
}

static int ask(void *arg)
{
	struct fiber_chan *c = *(struct fiber_chan **)arg;

	for (int i = 0; i < ROUNDS(500); i++) {
		struct request request = { new_chan(sizeof(int), 0), i };

		fiber_chan_get(request.answer);
		CHECK_EQ(fiber_send(c, &request), 0);
		CHECK_EQ(recv_int(request.answer), 2 * i);
		fiber_chan_put(request.answer);
	}
	return 0;
}

static void clients_and_servers(void)
{
	struct fiber_chan *c = new_chan(sizeof(struct request), capacity);
	struct fiber_chan *args[] = { c, c, c, c, c };
	struct fiber *servers[] = { spawn(serve, c), spawn(serve, c) };

	run_all(5, ask, args, sizeof(args[0]));
	CHECK_EQ(fiber_chan_close(c), 0);
	CHECK_EQ(join(servers[0]) + join(servers[1]), 0);
	fiber_chan_put(c);
}

static void channels_through_channels(void)
{
	capacity = 0;
	run_shapes(0, clients_and_servers);
	capacity = 4;
	run_shapes(0, clients_and_servers);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(sieve_of_meetings),
		TEST(sieve_of_queues),
		TEST(chain_of_thousands),
		TEST(channels_through_channels),
	};

	return RUN(argc, argv, tests);
}
