// SPDX-License-Identifier: MIT
/*
 * Two fibers with names that take turns.
 *
 * prints:
 *	ping
 *	pong
 *	ping
 *	pong
 *	pong ended with 3
 */
#include <stdio.h>
#include <string.h>

#include <fiber.h>

/* Whose turn it is. */
static _Atomic(const char *) turn = "ping";

static int play(void *other)
{
	char name[FIBER_NAME_SIZE];

	if (fiber_name_get(fiber_self(), name, sizeof(name)))
		return 1;
	for (int i = 0; i < 2; i++) {
		while (strcmp(turn, name))
			fiber_yield();
		printf("%s\n", name);
		turn = other;
	}
	fiber_exit(3);
}

static int start(void *arg)
{
	struct fiber_attr ping_attr = { .size = sizeof(ping_attr),
					.name = "ping" };
	struct fiber_attr pong_attr = { .size = sizeof(pong_attr),
					.name = "pong" };
	struct fiber *ping;
	struct fiber *pong;
	int result;

	(void)arg;
	if (fiber_spawn(&ping, play, "pong", &ping_attr) ||
	    fiber_spawn(&pong, play, "ping", &pong_attr) ||
	    fiber_join(ping, NULL) || fiber_join(pong, &result))
		return 1;
	printf("pong ended with %d\n", result);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
