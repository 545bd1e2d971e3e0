// SPDX-License-Identifier: MIT
/*
 * A call that blocks its thread, and says so.
 *
 * prints:
 *	the other fiber ran meanwhile
 *	read 1 byte
 */
#include <stdio.h>
#include <unistd.h>

#include <fiber.h>

static int ends[2]; /* of a pipe */

static void write_byte(void *arg)
{
	(void)arg;
	printf("the other fiber ran meanwhile\n");
	fflush(stdout);
	if (write(ends[1], "x", 1) != 1)
		fiber_exit(1);
}

static int start(void *arg)
{
	ssize_t n;
	char c;

	(void)arg;
	if (pipe(ends) || fiber_go(write_byte, NULL))
		return 1;
	/* There is one worker, and it would stop here. */
	fiber_blocking_begin();
	n = read(ends[0], &c, 1);
	fiber_blocking_end();
	printf("read %zd byte\n", n);
	return 0;
}

int main(void)
{
	struct fiber_config config = { .size = sizeof(config), .workers = 1 };

	return fiber_run(start, NULL, &config);
}
