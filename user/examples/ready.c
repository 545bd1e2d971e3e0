// SPDX-License-Identifier: MIT
/*
 * Fibers that wait until something is ready, each of them.
 *
 * prints:
 *	not yet: The deadline has passed
 *	3 have started
 */
#include <stdio.h>

#include <fiber.h>

static struct fiber_event ready = FIBER_EVENT_INIT;
static _Atomic int started;

static int wait_and_start(void *arg)
{
	int err = fiber_event_wait(&ready);

	(void)arg;
	if (!err)
		started++;
	return err;
}

static int start(void *arg)
{
	struct fiber *fibers[3];
	int err;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (fiber_spawn(&fibers[i], wait_and_start, NULL, NULL))
			return 1;
	}
	err = fiber_event_wait_until(&ready, fiber_after(1000000));
	printf("not yet: %s\n", fiber_strerror(err));
	fiber_event_set(&ready);
	for (int i = 0; i < 3; i++)
		fiber_join(fibers[i], NULL);
	printf("%d have started\n", started);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
