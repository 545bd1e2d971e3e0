// SPDX-License-Identifier: MIT
/*
 * What many read and few change, always as a whole.
 *
 * prints:
 *	nobody saw half of a change
 *	3.3
 */
#include <stdio.h>

#include <fiber.h>

#define READERS 3

static struct fiber_rwlock lock = FIBER_RWLOCK_INIT;
static struct {
	int major;
	int minor;
} version; /* lock: the two are the same */

static int read_often(void *arg)
{
	int halves = 0;

	(void)arg;
	for (int i = 0; i < 100; i++) {
		if (fiber_rwlock_rdlock(&lock))
			return -1;
		halves += version.major != version.minor;
		fiber_yield();
		fiber_rwlock_unlock(&lock);
	}
	return halves;
}

static int change(void)
{
	int err = fiber_rwlock_wrlock(&lock);

	if (err)
		return err;
	version.major++;
	fiber_yield();
	version.minor++;
	return fiber_rwlock_unlock(&lock);
}

static int start(void *arg)
{
	struct fiber *fibers[READERS];
	int halves = 0;
	int result;

	(void)arg;
	for (int i = 0; i < READERS; i++) {
		if (fiber_spawn(&fibers[i], read_often, NULL, NULL))
			return 1;
	}
	for (int i = 0; i < 3; i++) {
		if (change())
			return 1;
	}
	for (int i = 0; i < READERS; i++) {
		if (fiber_join(fibers[i], &result))
			return 1;
		halves += result;
	}
	if (!halves)
		printf("nobody saw half of a change\n");
	printf("%d.%d\n", version.major, version.minor);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
