// SPDX-License-Identifier: MIT
/*
 * Of ten fibers no more than three are at work at a time.
 *
 * prints:
 *	10 have worked, never more than 3 at a time
 */
#include <stdio.h>

#include <fiber.h>

#define LIMIT 3

static struct fiber_sem tokens = FIBER_SEM_INIT(LIMIT);
static _Atomic int working;
static _Atomic int worked;
static _Atomic int too_many;

static int work(void *arg)
{
	(void)arg;
	if (fiber_sem_wait(&tokens))
		return 1;
	if (++working > LIMIT)
		too_many = 1;
	fiber_sleep(1000000);
	worked++;
	working--;
	return fiber_sem_post(&tokens);
}

static int start(void *arg)
{
	struct fiber *fibers[10];

	(void)arg;
	for (int i = 0; i < 10; i++) {
		if (fiber_spawn(&fibers[i], work, NULL, NULL))
			return 1;
	}
	for (int i = 0; i < 10; i++)
		fiber_join(fibers[i], NULL);
	if (!too_many)
		printf("%d have worked, never more than %d at a time\n", worked,
		       LIMIT);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
