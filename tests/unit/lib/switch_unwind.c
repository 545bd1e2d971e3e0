// SPDX-License-Identifier: MIT
/*
 * A stack can be unwound to its root: from inside by the unwind tables and by
 * frame pointers, and by a debugger, also when it does not run.
 *
 * The debugger runs the first test of this program. It stops in stop_here(),
 * with one coroutine running and one parked, and takes up the latter by the
 * three words of its context.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#include "coro.h"
#include "gdb.h"
#include "harness.h"

#define FRAMES_MAX 32

static_assert(offsetof(struct coro, ctx) == 0, "what gdb takes it for");

static struct coro root;
static struct coro parked;
static struct coro running;

struct trace {
	int n;
	uintptr_t pcs[FRAMES_MAX];
};

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *frame, void *arg)
{
	struct trace *trace = arg;

	if (trace->n == FRAMES_MAX)
		return _URC_NORMAL_STOP;
	/* The end of the stack is shown as a frame at 0. */
	if (_Unwind_GetIP(frame))
		trace->pcs[trace->n++] = _Unwind_GetIP(frame);
	return _URC_NO_REASON;
}

/* A return address on aarch64 may be signed in the bits above the 48th. */
static bool is_root(uintptr_t pc)
{
	return (pc & 0xffffffffffff) - (uintptr_t)_fiber_context_start < 32;
}

__attribute__((noinline)) static void stop_here(void)
{
	struct trace trace = { 0 };

	CHECK_EQ(_Unwind_Backtrace(add_frame, &trace), _URC_END_OF_STACK);
	CHECK(trace.n >= 4 && trace.n <= 8);
	CHECK(is_root(trace.pcs[trace.n - 1]));
}

__attribute__((noinline)) static void follow_frame_pointers(void)
{
	uintptr_t *frame = __builtin_frame_address(0);
	int n = 0;

	/* A frame pointer points to that of the caller; a pc comes next. */
	while (frame[0]) {
		CHECK(++n < FRAMES_MAX);
		CHECK(frame[0] > (uintptr_t)frame);
		frame = (uintptr_t *)frame[0];
	}
	CHECK(n >= 2);
	CHECK(is_root(frame[1]));
}

__attribute__((noinline)) static void park_below(struct coro *self)
{
	coro_switch(self, &root, NULL);
	follow_frame_pointers();
}

static void park(struct coro *self, void *arg)
{
	(void)arg;
	park_below(self);
	coro_end(self, &root, NULL);
}

static void run(struct coro *self, void *arg)
{
	(void)arg;
	stop_here();
	follow_frame_pointers();
	coro_end(self, &root, NULL);
}

static void from_inside(void)
{
	coro_init(&parked, park);
	coro_switch(&root, &parked, NULL);
	coro_init(&running, run);
	coro_switch(&root, &running, NULL);
	coro_switch(&root, &parked, NULL);
	coro_free(&running);
	coro_free(&parked);
}

static void by_gdb_while_running(void)
{
	char said[8192];

	gdb_ask("from_inside", "-ex bt", said, sizeof(said));
	CHECK_IN(said, "stop_here ()");
	CHECK_IN(said, "in run (");
	gdb_check_root(said);
}

static void by_gdb_while_parked(void)
{
	char said[8192];

	/*
	 * By its address: there may be no debug information. pc last: it is in
	 * an inlined frame, where gdb has no $sp.
	 */
	gdb_ask("from_inside",
		"-ex 'set $" GDB_FP " = ((unsigned long *)&parked)[2]' "
		"-ex 'set $sp = ((unsigned long *)&parked)[1]' "
		"-ex 'set $pc = ((unsigned long *)&parked)[0]' -ex bt",
		said, sizeof(said));
	CHECK_IN(said, "coro_switch (");
	CHECK_IN(said, "in park_below (");
	CHECK_IN(said, "in park (");
	gdb_check_root(said);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(from_inside),
		TEST(by_gdb_while_running),
		TEST(by_gdb_while_parked),
	};

	return RUN(argc, argv, tests);
}
