// SPDX-License-Identifier: MIT
/*
 * A fiber that ends in the middle of a function, and leaves nothing behind.
 *
 * prints:
 *	the buffer is freed
 *	the fiber ended with 1
 */
#include <stdio.h>
#include <stdlib.h>

#include <fiber.h>

static void free_buffer(void *buffer)
{
	free(buffer);
	printf("the buffer is freed\n");
}

/* Called deep inside, where there is nobody to return an error to. */
static void must_be_even(int n)
{
	if (n % 2)
		fiber_exit(1);
}

static int work(void *arg)
{
	struct fiber_cleanup cleanup;
	char *buffer = malloc(4096);

	if (!buffer)
		return 2;
	if (fiber_cleanup_push(&cleanup, free_buffer, buffer)) {
		free(buffer);
		return 2;
	}
	must_be_even(*(int *)arg);
	fiber_cleanup_pop(&cleanup, 1);
	return 0;
}

static int start(void *arg)
{
	struct fiber *fiber;
	int result;

	if (fiber_spawn(&fiber, work, arg, NULL) || fiber_join(fiber, &result))
		return 1;
	printf("the fiber ended with %d\n", result);
	return 0;
}

int main(void)
{
	int n = 7;

	return fiber_run(start, &n, NULL);
}
