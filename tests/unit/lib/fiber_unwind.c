// SPDX-License-Identifier: MIT
/*
 * A debugger, given the control block of a fiber that waits in a channel, sees
 * its stack from the wait through the program's functions to its root; a profiler
 * does of one that runs.
 *
 * The debugger takes the first three words of the control block for pc, sp and fp.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fiber.h>

#include "control.h"
#include "gdb.h"
#include "harness.h"

#define SAID_MAX (256 * 1024)

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

/* What perf is to find in each sample of the fiber that computes. */
__attribute__((noinline)) static int compute_below(void)
{
	int64_t end = test_now() + 300 * 1000 * 1000;

	while (test_now() < end)
		;
	return 0;
}

static int compute(void *arg)
{
	int err = compute_below();

	(void)arg;
	__asm__ volatile("" ::: "memory");
	return err;
}

static void computing(void)
{
	CHECK_EQ(fiber_run(compute, NULL, NULL), 0);
}

/*
 * Each sample is a paragraph. In how many of a hundred with compute_below() the
 * root is, too.
 */
static int count_rooted(char *said)
{
	int samples = 0;
	int rooted = 0;
	char *sample;
	char *next;

	for (sample = said; sample; sample = next) {
		next = strstr(sample, "\n\n");
		if (!next)
			break; /* It may be cut. */
		*next = '\0';
		next += 2;
		if (!strstr(sample, "compute_below+"))
			continue;
		samples++;
		rooted += !!strstr(sample, "_fiber_context_start+");
	}
	CHECK(samples > 0);
	test_note("%d samples, %d with the root", samples, rooted);
	return 100 * rooted / samples;
}

/* How is what perf calls its way of unwinding. Returns what count_rooted() does. */
static int ask_perf(const char *how)
{
	char self[256];
	char line[1024];
	char *said = malloc(SAID_MAX);
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t len;
	int rooted;
	FILE *perf;

	CHECK(said && n > 0);
	self[n] = '\0';
	if (system("perf record -q -e cpu-clock -o /dev/null true 2>/dev/null"))
		test_skip("no perf (package linux-perf), or it may not sample");
	snprintf(line, sizeof(line),
		 "f=$(mktemp) && perf record -q -e cpu-clock -F 200 "
		 "--call-graph %s -o $f '%s' computing >/dev/null 2>&1; "
		 "perf script -i $f 2>/dev/null; rm -f $f",
		 how, self);
	perf = popen(line, "r");
	CHECK(perf);
	len = fread(said, 1, SAID_MAX - 1, perf);
	said[len] = '\0';
	while (fgetc(perf) != EOF)
		;
	pclose(perf);
	rooted = count_rooted(said);
	free(said);
	return rooted;
}

/* By frame pointers, which perf takes unless it is told otherwise. */
static void by_perf(void)
{
	CHECK_EQ(ask_perf("fp"), 100);
}

/*
 * By unwind tables, and a copy of the stack of each sample, which the sanitizer's
 * code does not always allow.
 */
static void by_perf_and_tables(void)
{
	if (system("perf version --build-options 2>/dev/null | "
		   "grep -q 'unwind: .*on'"))
		test_skip("no perf that knows unwind tables");
	CHECK(ask_perf("dwarf") > 50);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(without_gdb),	  TEST(by_gdb),
		TEST(computing),	  TEST(by_perf),
		TEST(by_perf_and_tables),
	};

	return RUN(argc, argv, tests);
}
