// SPDX-License-Identifier: MIT
/*
 * Waiting for fibers that nobody has a reference to.
 *
 * prints:
 *	10 are done
 */
#include <stdio.h>

#include <fiber.h>

static struct fiber_waitgroup group = FIBER_WAITGROUP_INIT;
static _Atomic int done;

static void work(void *arg)
{
	(void)arg;
	done++;
	fiber_waitgroup_done(&group);
}

static int start(void *arg)
{
	(void)arg;
	for (int i = 0; i < 10; i++) {
		/* Before the fiber is made, which may be done at once. */
		if (fiber_waitgroup_add(&group, 1) || fiber_go(work, NULL))
			return 1;
	}
	if (fiber_waitgroup_wait(&group))
		return 1;
	printf("%d are done\n", done);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
