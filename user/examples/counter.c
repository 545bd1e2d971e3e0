// SPDX-License-Identifier: MIT
/*
 * A counter that many fibers change, a bit at a time.
 *
 * prints:
 *	4000
 */
#include <stdio.h>

#include <fiber.h>

#define FIBERS 4

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static int counter; /* mutex */

static int count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++) {
		int err = fiber_mutex_lock(&mutex);
		int seen = counter;

		/* Cancelled: it has not been locked. */
		if (err)
			return err;
		/* A fiber may wait, and change thread, while it has it. */
		fiber_yield();
		counter = seen + 1;
		fiber_mutex_unlock(&mutex);
	}
	return 0;
}

static int start(void *arg)
{
	struct fiber *fibers[FIBERS];

	(void)arg;
	for (int i = 0; i < FIBERS; i++) {
		if (fiber_spawn(&fibers[i], count, NULL, NULL))
			return 1;
	}
	for (int i = 0; i < FIBERS; i++)
		fiber_join(fibers[i], NULL);
	printf("%d\n", counter);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
