// SPDX-License-Identifier: MIT
/*
 * A deadline for whatever a function does, which knows nothing of it.
 *
 * prints:
 *	The deadline has passed
 *	without a deadline: Success
 */
#include <stdio.h>

#include <fiber.h>

#define MS 1000000ll

/* However often it waits, and wherever. */
static int talk(void)
{
	int err = 0;

	for (int i = 0; i < 3 && !err; i++)
		err = fiber_sleep(20 * MS);
	return err;
}

static int start(void *arg)
{
	int64_t before = fiber_deadline_push(fiber_after(30 * MS));

	(void)arg;
	printf("%s\n", fiber_strerror(talk()));
	fiber_deadline_pop(before);
	printf("without a deadline: %s\n", fiber_strerror(talk()));
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
