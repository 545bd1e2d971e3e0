// SPDX-License-Identifier: MIT
/*
 * Three fibers, none of which begins a round before all have ended the last.
 *
 * prints:
 *	round 1: 3 numbers
 *	round 2: 6 numbers
 */
#include <stdio.h>

#include <fiber.h>

#define N 3

static struct fiber_barrier barrier = FIBER_BARRIER_INIT(N);
static _Atomic int numbers;

static int play(void *arg)
{
	(void)arg;
	for (int round = 1; round <= 2; round++) {
		int last;

		numbers++;
		last = fiber_barrier_wait(&barrier);
		if (last < 0)
			return last;
		/* One of them: the last that came. */
		if (last)
			printf("round %d: %d numbers\n", round, numbers);
		if (fiber_barrier_wait(&barrier) < 0)
			return 1;
	}
	return 0;
}

static int start(void *arg)
{
	struct fiber *fibers[N];

	(void)arg;
	for (int i = 0; i < N; i++) {
		if (fiber_spawn(&fibers[i], play, NULL, NULL))
			return 1;
	}
	for (int i = 0; i < N; i++)
		fiber_join(fibers[i], NULL);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
