// SPDX-License-Identifier: MIT
/*
 * The module stays while a group is open or a thread parked, and no longer.
 */
#include <unistd.h>
#include "self.h"
#include "group.h"
#include "module.h"

FIXTURE(group)
{
	struct nl nl;
};

FIXTURE_SETUP(group)
{
	if (!module_file())
		SKIP(return,
			   "no fiber.ko to load again; FIBER_MODULE= names it");
	if (!module_loaded())
		ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, ask_open(&self->nl));
}

FIXTURE_TEARDOWN(group)
{
	if (!self->nl.sock)
		return;
	ask_close(&self->nl);
	if (!module_loaded())
		EXPECT_EQ(0, module_load());
}

TEST_F_TIMEOUT(group, open, SLOW_S)
{
	int fd = group_create(&self->nl);

	ASSERT_LE(0, fd);
	ASSERT_LT(0, group_attach(fd));
	EXPECT_EQ(-EAGAIN, module_unload());
	close(fd);
	EXPECT_EQ(0, module_unload());
}

static void *park_a_second(struct mate *mate)
{
	mate->err = group_park(mate->crew->fd, in_ns(SECOND));
	return NULL;
}

/* The park holds the module, with no descriptor left. */
TEST_F_TIMEOUT(group, parked, SLOW_S)
{
	int fd = group_create(&self->nl);
	struct crew crew;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(crew_start(&crew, 1, fd, park_a_second, NULL));
	ASSERT_TRUE(wait_asleep(crew.mate[0].tid));
	close(fd);
	EXPECT_EQ(-EAGAIN, module_unload());
	EXPECT_EQ(1, groups_now(&self->nl));
	crew_join(&crew);
	EXPECT_EQ(0, module_unload());
	crew_free(&crew);
}

TEST_HARNESS_MAIN
