// SPDX-License-Identifier: MIT
/*
 * A value that each fiber has its own of.
 *
 * prints:
 *	request 1: no user
 *	request 2: user alice
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fiber.h>

static fiber_key user; /* of the request that a fiber works on */

static void report(int request)
{
	const char *name = fiber_key_get(user);

	if (name)
		printf("request %d: user %s\n", request, name);
	else
		printf("request %d: no user\n", request);
}

static int anonymous(void *arg)
{
	(void)arg;
	report(1);
	return 0;
}

static int logged_in(void *arg)
{
	char *name = strdup(arg);

	/* When the fiber ends, free() is called with it. */
	if (!name || fiber_key_set(user, name)) {
		free(name);
		return 1;
	}
	report(2);
	return 0;
}

static int start(void *arg)
{
	struct fiber *fiber;

	(void)arg;
	if (fiber_key_add(&user, free) ||
	    fiber_spawn(&fiber, anonymous, NULL, NULL) ||
	    fiber_join(fiber, NULL) ||
	    fiber_spawn(&fiber, logged_in, "alice", NULL) ||
	    fiber_join(fiber, NULL))
		return 1;
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
