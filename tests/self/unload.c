// SPDX-License-Identifier: MIT
/*
 * The module unloads whatever its users do, and tells its subscribers.
 *
 * Watchers and subscribers do not hold the module. After it is gone a request
 * through an old socket is refused by the kernel, and after it is loaded again
 * nothing of the old users is left.
 */
#include "self.h"
#include "module.h"

FIXTURE(unload)
{
	struct nl nl;
};

FIXTURE_SETUP(unload)
{
	if (!module_file())
		SKIP(return,
			   "no fiber.ko to load again; FIBER_MODULE= names it");
	if (!module_loaded())
		ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, ask_open(&self->nl));
}

FIXTURE_TEARDOWN(unload)
{
	if (!self->nl.sock)
		return;
	ask_close(&self->nl);
	if (!module_loaded())
		EXPECT_EQ(0, module_load());
}

static int nothing(void *arg)
{
	return arg ? 1 : 0;
}

TEST_F_TIMEOUT(unload, idle, SLOW_S)
{
	struct info info;

	ASSERT_EQ(0, module_unload());
	EXPECT_FALSE(module_loaded());
	EXPECT_GT(0, info_get(&self->nl, &info));
}

TEST_F_TIMEOUT(unload, watched, SLOW_S)
{
	struct info info;
	struct nl again;
	uint32_t id;

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0,
			  watch_start(&self->nl, i % 2 ? getpid() : 0, 0, &id));
	sleep_ns(20 * MS);
	ASSERT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, ask_open(&again));
	ASSERT_EQ(0, info_get(&again, &info));
	EXPECT_EQ(0, info.watches);
	EXPECT_EQ(0, info.probes);
}

/* The last thing that a subscriber hears is that it is over. */
TEST_F_TIMEOUT(unload, subscribed, SLOW_S)
{
	struct event e, last = { .type = FIBER_EVENT_TYPE_FORK };
	int ends = 0;

	ASSERT_EQ(0, subscribe(&self->nl, FIBER_EVENT_MASK_FORK, 0));
	for (int i = 0; i < 10; i++)
		ASSERT_EQ(0, child_run(nothing, NULL));
	ASSERT_EQ(0, module_unload());
	while (event_next(&self->nl, &e, 500) == 1) {
		ends += e.type == FIBER_EVENT_TYPE_END;
		last = e;
	}
	EXPECT_EQ(1, ends);
	EXPECT_EQ(FIBER_EVENT_TYPE_END, last.type);
}

/*
 * A dump in its middle holds the module, as any system call does, until its
 * socket ends. The children come first: they would keep a copy of the socket.
 */
TEST_F_TIMEOUT(unload, dumping, SLOW_S)
{
	struct nl nl;
	int err;

	ask_close(&self->nl);
	self->nl.sock = NULL;
	for (int i = 0; i < 400; i++)
		child_start(sleep_for_ever, NULL);
	ASSERT_EQ(0, ask_open(&nl));
	ASSERT_LT(0, ask_send(&nl,
			      ask_new(&nl, FIBER_CMD_THREAD_GET, NLM_F_DUMP)));
	err = module_unload();
	EXPECT_TRUE(!err || err == -EAGAIN);
	ask_close(&nl);
	for (int i = 0; err && i < 500; i++) {
		sleep_ns(10 * MS);
		err = module_unload();
	}
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, module_load());
}

TEST_HARNESS_MAIN
