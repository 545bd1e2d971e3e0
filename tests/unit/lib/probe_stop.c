// SPDX-License-Identifier: MIT
/*
 * A debugger stops at the probes that it is told to stop at, where what they tell
 * of happens, and their arguments are what fiber-probes(7) says.
 *
 * There is one worker, so that all happens in turn; or two, one after the other, when
 * gdb has stopped the first for so long that the runtime takes it for a hog.
 */
#include <stdio.h>
#include <string.h>

#include <fiber.h>

#include "chan.h"
#include "gdb.h"
#include "harness.h"

/* gdb looks for them, by names that nothing else has. */
struct fiber *waiting;
struct fiber_chan *through;
int element = 5;

static int wait(void *arg)
{
	int got = 0;

	(void)arg;
	CHECK_EQ(fiber_recv(through, &got), 0);
	CHECK_EQ(got, element);
	CHECK_EQ(fiber_recv(through, &got), -ECANCELED);
	return 7;
}

__attribute__((noinline)) static void stop_here(void)
{
	__asm__ volatile("" ::: "memory");
}

/* A look of gdb's takes so long that either of the two may be asked to yield. */
static uint64_t await_wait(uint64_t before)
{
	uint64_t ticket;

	while ((ticket = _fiber_park_ticket(waiting)) == before ||
	       !(at_load(&waiting->park, ACQUIRE) & FIBER_PARK_PARKED))
		fiber_yield();
	return ticket;
}

static int probed(void *arg)
{
	uint64_t ticket;
	int result = 0;

	(void)arg;
	CHECK_EQ(fiber_chan_new(&through, sizeof(int), 0, NULL), 0);
	stop_here();
	CHECK_EQ(fiber_spawn(&waiting, wait, NULL, NULL), 0);
	ticket = await_wait(0);
	CHECK_EQ(fiber_send(through, &element), 0);
	await_wait(ticket);
	CHECK_EQ(fiber_cancel(waiting, 3), 0);
	CHECK_EQ(fiber_join(waiting, &result), 0);
	CHECK_EQ(result, 7);
	CHECK_EQ(fiber_chan_close(through), 0);
	fiber_chan_put(through);
	return 0;
}

static void without_gdb(void)
{
	struct fiber_config config = {
		.size = sizeof(config),
		.workers = 1,
	};

	CHECK_EQ(fiber_run(probed, NULL, &config), 0);
}

/* In the order in which they are passed; arguments as gdb names them. */
static const struct {
	const char *name;
	const char *holds;
} stops[] = {
	{ "spawn", "$_probe_arg0 == (long)waiting && "
		   "$_probe_arg1 == (long)&wait" },
	{ "start", "$_probe_arg0 == (long)waiting && $_probe_arg1 < 8" },
	{ "recv", "$_probe_arg0 == (long)through" },
	{ "park", "$_probe_arg0 == (long)waiting && $_probe_arg1 == 3 && "
		  "$_probe_arg2 == (long)&through->recvq" },
	{ "send", "$_probe_arg0 == (long)through && "
		  "$_probe_arg1 == (long)&element" },
	{ "ready", "$_probe_arg0 == (long)waiting" },
	{ "recv", "$_probe_arg0 == (long)through" },
	{ "park", "$_probe_arg0 == (long)waiting" },
	{ "cancel", "$_probe_arg0 == (long)waiting && $_probe_arg1 == 3" },
	{ "ready", "$_probe_arg0 == (long)waiting" },
	{ "end", "$_probe_arg0 == (long)waiting && $_probe_arg1 == 7" },
	{ "close", "$_probe_arg0 == (long)through" },
};

#define NR_STOPS (sizeof(stops) / sizeof(stops[0]))

static void by_gdb(void)
{
	char commands[8192];
	char said[16384];
	char wanted[64];
	size_t len = 0;
	size_t i;

#if !__has_include(<sys/sdt.h>)
	test_skip("no sys/sdt.h (package systemtap-sdt-dev)");
#endif
	for (i = 0; i < NR_STOPS; i++)
		len += snprintf(commands + len, sizeof(commands) - len,
				"-ex 'tbreak -probe-stap fiber:%s' "
				"-ex continue -ex 'echo %zu:%s:' "
				"-ex 'output %s' -ex 'echo \\n' ",
				stops[i].name, i, stops[i].name,
				stops[i].holds);
	CHECK(len < sizeof(commands));
	gdb_ask("without_gdb", commands, said, sizeof(said));
	for (i = 0; i < NR_STOPS; i++) {
		snprintf(wanted, sizeof(wanted), "\n%zu:%s:1\n", i,
			 stops[i].name);
		CHECK_IN(said, wanted);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(without_gdb),
		TEST(by_gdb),
	};

	return RUN(argc, argv, tests);
}
