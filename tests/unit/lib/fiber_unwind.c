// SPDX-License-Identifier: MIT
/*
 * A debugger, given the control block of a fiber that waits in a channel, sees
 * its stack from the wait through the program's functions to its root.
 *
 * It takes the first three words of the control block for pc, sp and fp.
 */
#include <stdio.h>

#include <fiber.h>

#include "control.h"
#include "gdb.h"
#include "harness.h"

struct fiber *waiting; /* gdb looks for it */
static struct fiber_chan *chan;

__attribute__((noinline)) static int wait_below(void)
{
	int err = fiber_recv(chan, NULL);

	/* Not a tail call: the frame must be there to be seen. */
	__asm__ volatile("" ::: "memory");
	return err;
}

static int wait(void *arg)
{
	int err = wait_below();

	(void)arg;
	__asm__ volatile("" ::: "memory");
	return err;
}

__attribute__((noinline)) static void stop_here(void)
{
	__asm__ volatile("" ::: "memory");
}

static int watch(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_chan_new(&chan, 0, 0, NULL), 0);
	CHECK_EQ(fiber_spawn(&waiting, wait, NULL, NULL), 0);
	while (!(at_load(&waiting->park, ACQUIRE) & FIBER_PARK_PARKED))
		fiber_yield();
	stop_here();
	CHECK_EQ(fiber_chan_close(chan), 0);
	CHECK_EQ(fiber_join(waiting, NULL), 0);
	fiber_chan_put(chan);
	return 0;
}

static void without_gdb(void)
{
	CHECK_EQ(fiber_run(watch, NULL, NULL), 0);
}

static void by_gdb(void)
{
	char said[8192];

	static_assert(offsetof(struct fiber, ctx) == 0,
		      "what gdb takes it for");
	/* pc last: it may be in an inlined frame, where gdb has no $sp. */
	gdb_ask("without_gdb",
		"-ex 'set $" GDB_FP " = (*(unsigned long **)&waiting)[2]' "
		"-ex 'set $sp = (*(unsigned long **)&waiting)[1]' "
		"-ex 'set $pc = (*(unsigned long **)&waiting)[0]' -ex bt",
		said, sizeof(said));
	CHECK_IN(said, "_fiber_park_queue (");
	CHECK_IN(said, "in wait_below (");
	CHECK_IN(said, "in wait (");
	CHECK_IN(said, "in entry (");
	gdb_check_root(said);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(without_gdb),
		TEST(by_gdb),
	};

	return RUN(argc, argv, tests);
}
