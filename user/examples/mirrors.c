// SPDX-License-Identifier: MIT
/*
 * usage: mirrors [MS]
 *
 * Ask three mirrors for the same thing: the first that has it wins, the others are
 * cancelled, and all of it is over within so many milliseconds, 200 if not said
 * otherwise. Whichever way it ends, nothing of it goes on.
 *
 * mirrors 20000 prints:
 *	far: given up
 *	near was first
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <fiber.h>

#define MS 1000000ll
#define MIRRORS 3

struct mirror {
	const char *name;
	int64_t takes_ns;
};

static struct mirror mirrors[MIRRORS] = {
	{ "far", 60000 * MS },
	{ "down", -1 },
	{ "near", 5 * MS },
};

/* Stands for a request, each step of which ends when it is cancelled. */
static int fetch(void *arg)
{
	const struct mirror *mirror = arg;
	int err;

	if (mirror->takes_ns < 0)
		return -EHOSTDOWN;
	err = fiber_sleep(mirror->takes_ns);
	if (err)
		printf("%s: given up\n", mirror->name);
	return err ? err : mirror - mirrors;
}

/* The number of the mirror that was first, or why there is none. */
static int fetch_from_any(int64_t deadline)
{
	struct fiber_scope_attr attr = {
		.size = sizeof(attr),
		.policy = FIBER_SCOPE_ANY,
		.deadline = deadline,
	};
	struct fiber_scope *scope;
	int result = fiber_scope_new(&scope, &attr);

	if (result)
		return result;
	for (int i = 0; i < MIRRORS && !result; i++)
		result = fiber_scope_go(scope, fetch, &mirrors[i]);
	/* Cancelled before all were asked: the wait says why. */
	if (!result || result == -ECANCELED)
		result = fiber_scope_wait(scope);
	fiber_scope_free(scope);
	return result;
}

static int start(void *arg)
{
	int winner = fetch_from_any(fiber_after(*(int *)arg * MS));

	if (winner < 0)
		printf("%s\n", fiber_strerror(winner));
	else
		printf("%s was first\n", mirrors[winner].name);
	return winner < 0;
}

int main(int argc, char **argv)
{
	int ms = argc > 1 ? atoi(argv[1]) : 200;

	return fiber_run(start, &ms, NULL);
}
