// SPDX-License-Identifier: MIT
/*
 * Thousands of children: started by one or by each other, that end or are
 * cancelled. What is kept for each goes when it ends, and not with the scope.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "scopes.h"

#define MANY ROUNDS(5000)

static struct fiber_chan *gate;
static atomic_int ended;

static int pass_gate(void *arg)
{
	int err = fiber_recv(gate, NULL);

	(void)arg;
	CHECK(err == -EPIPE || err == -ECANCELED);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static void at_one_gate(bool cancelled)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);

	gate = new_chan(0, 0);
	atomic_store(&ended, 0);
	for (int i = 0; i < MANY; i++)
		scope_go(scope, pass_gate, NULL);
	if (cancelled)
		CHECK_EQ(fiber_scope_cancel(scope, 1), 0);
	else
		CHECK_EQ(fiber_chan_close(gate), 0);
	CHECK_EQ(fiber_scope_wait(scope), cancelled ? -ECANCELED : 0);
	CHECK_EQ(atomic_load(&ended), MANY);
	fiber_scope_free(scope);
	fiber_chan_put(gate);
}

static struct fiber_scope *common;

/* A tree in one scope. */
static int start_more(void *arg)
{
	intptr_t depth = (intptr_t)arg;

	for (int i = 0; i < 2 && depth > 0; i++)
		scope_go(common, start_more, (void *)(depth - 1));
	atomic_fetch_add(&ended, 1);
	return 0;
}

static void by_each_other(void)
{
	common = new_scope(FIBER_SCOPE_ALL, 0);
	atomic_store(&ended, 0);
	scope_go(common, start_more, (void *)10);
	CHECK_EQ(fiber_scope_wait(common), 0);
	CHECK_EQ(atomic_load(&ended), 2047);
	fiber_scope_free(common);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* As a server does that waits for its scope at its own end only. */
static void one_after_the_other(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	struct fiber_status status = { .size = sizeof(status) };
	uint64_t before;

	CHECK_EQ(fiber_status(&status), 0);
	before = status.fibers;
	for (int i = 0; i < MANY; i++) {
		scope_go(scope, nothing, NULL);
		if (i % 16 == 0)
			CHECK_EQ(fiber_scope_wait(scope), 0);
	}
	CHECK_EQ(fiber_scope_wait(scope), 0);
	/* They have ended in every sense. */
	CHECK_EQ(fiber_status(&status), 0);
	CHECK_EQ(status.fibers, before);
	fiber_scope_free(scope);
}

static void all(void)
{
	at_one_gate(false);
	at_one_gate(true);
	by_each_other();
	one_after_the_other();
}

static void in_each_shape(void)
{
	run_shapes(0, all);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(in_each_shape),
	};

	return RUN(argc, argv, tests);
}
