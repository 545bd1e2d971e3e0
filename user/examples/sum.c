// SPDX-License-Identifier: MIT
/*
 * Ten fibers, each of which returns a number.
 *
 * prints:
 *	285
 */
#include <stdio.h>

#include <fiber.h>

#define N 10

static int square(void *arg)
{
	int n = *(int *)arg;

	return n * n;
}

static int start(void *arg)
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = "square" };
	struct fiber *fibers[N];
	int numbers[N];
	int result;
	int sum = 0;

	(void)arg;
	for (int i = 0; i < N; i++) {
		numbers[i] = i;
		if (fiber_spawn(&fibers[i], square, &numbers[i], &attr))
			return 1;
	}
	for (int i = 0; i < N; i++) {
		if (fiber_join(fibers[i], &result))
			return 1;
		sum += result;
	}
	printf("%d\n", sum);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
