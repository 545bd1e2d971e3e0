// SPDX-License-Identifier: MIT
/*
 * Each of very many elements goes to one of many consumers.
 */
#include <errno.h>

#include "fibers.h"

#define CONSUMERS 23
#define ELEMENTS ROUNDS(40000)

static const int primes[] = { 2, 3, 7, 11, 13, 17, 19, 23, 27, 31 };

static struct fiber_chan *queue;
static struct fiber_chan *results;

/* Some let others go first now and then, each at an element of its own. */
static int consume(void *arg)
{
	int shy_of = primes[*(int *)arg % ARRAY_SIZE(primes)];
	int value;

	while (fiber_recv(queue, &value) == 0) {
		if (value == shy_of)
			fiber_yield();
		send_int(results, value);
	}
	return 0;
}

static int feed(void *sum)
{
	struct fiber *fibers[CONSUMERS];
	int numbers[CONSUMERS];

	for (int i = 0; i < CONSUMERS; i++) {
		numbers[i] = i;
		fibers[i] = spawn(consume, &numbers[i]);
	}
	for (int i = 0; i < ELEMENTS; i++) {
		int value = primes[i % ARRAY_SIZE(primes)];

		*(long *)sum += value;
		send_int(queue, value);
	}
	CHECK_EQ(fiber_chan_close(queue), 0);
	for (int i = 0; i < CONSUMERS; i++)
		CHECK_EQ(join(fibers[i]), 0);
	CHECK_EQ(fiber_chan_close(results), 0);
	return 0;
}

static void through_capacity(size_t capacity)
{
	long sum = 0, expected = 0;
	struct fiber *feeder;
	int n = 0;
	int value;

	queue = new_chan(sizeof(int), capacity);
	results = new_chan(sizeof(int), capacity);
	feeder = spawn(feed, &expected);
	while (fiber_recv(results, &value) == 0) {
		sum += value;
		n++;
	}
	CHECK_EQ(join(feeder), 0);
	CHECK_EQ(n, ELEMENTS);
	CHECK_EQ(sum, expected);
	fiber_chan_put(queue);
	fiber_chan_put(results);
}

static void buffered(void)
{
	through_capacity(CONSUMERS * 3);
}

static void unbuffered(void)
{
	through_capacity(0);
}

static void through_queues(void)
{
	run_shapes(0, buffered);
}

static void by_meeting(void)
{
	run_shapes(0, unbuffered);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(through_queues),
		TEST(by_meeting),
	};

	return RUN(argc, argv, tests);
}
