// SPDX-License-Identifier: MIT
/*
 * While the runtime stops those that clean up have deadlines still.
 */
#include <stdatomic.h>

#include "runtime.h"
#include "scopes.h"

static struct fiber_chan *never;
static atomic_int cleaned;

static int clean_up(void *arg)
{
	struct fiber_scope *scope;

	(void)arg;
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_deadline_push(fiber_after(MSEC)), FIBER_FOREVER);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	CHECK_EQ(fiber_recv(never, NULL), -ETIMEDOUT);
	fiber_deadline_pop(FIBER_FOREVER);
	scope = new_scope(FIBER_SCOPE_ALL, fiber_after(MSEC));
	/* No fibers are made any more. */
	CHECK_EQ(fiber_scope_go(scope, clean_up, NULL), -EPERM);
	fiber_scope_free(scope);
	atomic_fetch_add(&cleaned, 1);
	return 0;
}

static void others_clean_up(void)
{
	for (int i = 0; i < 10; i++)
		fiber_put(spawn(clean_up, NULL));
	settle();
}

static void at_the_end(void)
{
	struct fiber_config config = { .size = sizeof(config) };

	CHECK_EQ(fiber_start(&config), 0);
	never = new_chan(0, 0);
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
	run_with(1, 0, others_clean_up);
	CHECK_EQ(atomic_load(&cleaned), 10);
	run_with(2, 0, others_clean_up);
	CHECK_EQ(atomic_load(&cleaned), 20);
	fiber_chan_put(never);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(at_the_end),
	};

	return RUN(argc, argv, tests);
}
