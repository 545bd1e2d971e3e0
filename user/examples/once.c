// SPDX-License-Identifier: MIT
/*
 * What several need, and whoever comes first makes.
 *
 * prints:
 *	making it
 *	sum 126
 */
#include <stdio.h>

#include <fiber.h>

static struct fiber_once once = FIBER_ONCE_INIT;
static int answer;

static void make(void *arg)
{
	printf("making it\n");
	fiber_yield();
	answer = *(int *)arg;
}

static int need(void *arg)
{
	/* Has returned from make(), by whomever it was called. */
	if (fiber_once(&once, make, arg))
		return 0;
	return answer;
}

static int start(void *arg)
{
	struct fiber *fibers[3];
	int value = 42;
	int result;
	int sum = 0;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (fiber_spawn(&fibers[i], need, &value, NULL))
			return 1;
	}
	for (int i = 0; i < 3; i++) {
		if (fiber_join(fibers[i], &result))
			return 1;
		sum += result;
	}
	printf("sum %d\n", sum);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
