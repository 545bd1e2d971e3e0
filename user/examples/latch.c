// SPDX-License-Identifier: MIT
/*
 * A latch, made of a number: who waits goes on when it has come down to 0.
 *
 * prints:
 *	all three are through
 */
#include <errno.h>
#include <stdio.h>

#include <fiber.h>

static _Atomic uint32_t latch = 3;

static void count_down(void *arg)
{
	(void)arg;
	/* First the number changes, then those who saw it are woken. */
	if (--latch == 0)
		fiber_wake(&latch, INT32_MAX);
}

static int wait_for_latch(void)
{
	uint32_t seen;
	int err;

	while ((seen = latch)) {
		/* -EAGAIN: it has changed since, and is looked at again. */
		err = fiber_block_on(&latch, seen, FIBER_FOREVER);
		if (err && err != -EAGAIN)
			return err;
	}
	return 0;
}

static int start(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (fiber_go(count_down, NULL))
			return 1;
	}
	if (wait_for_latch())
		return 1;
	printf("all three are through\n");
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
