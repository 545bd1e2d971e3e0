// SPDX-License-Identifier: MIT
/*
 * Sorting by sleeping, on a clock that does not make anybody wait: it jumps
 * from one deadline to the next.
 *
 * prints:
 *	1 s
 *	20 s
 *	3600 s
 */
#include <stdio.h>

#include <fiber.h>

#define SECOND 1000000000ll

static int sleeper(void *arg)
{
	int seconds = *(int *)arg;

	if (fiber_sleep(seconds * SECOND))
		return 1;
	printf("%d s\n", seconds);
	return 0;
}

static int start(void *arg)
{
	int seconds[] = { 3600, 1, 20 };
	struct fiber *fibers[3];

	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (fiber_spawn(&fibers[i], sleeper, &seconds[i], NULL))
			return 1;
	}
	for (int i = 0; i < 3; i++)
		fiber_join(fibers[i], NULL);
	return 0;
}

int main(void)
{
	struct fiber_config config = {
		.size = sizeof(config),
		.flags = FIBER_TEST_CLOCK,
	};

	return fiber_run(start, NULL, &config);
}
