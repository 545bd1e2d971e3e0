// SPDX-License-Identifier: MIT
/*
 * Closing the descriptor under a parked thread is safe and wakes nobody.
 */
#include <unistd.h>
#include "self.h"
#include "group.h"

static void *park_a_second(struct mate *mate)
{
	mate->err = group_park(mate->crew->fd, in_ns(SECOND));
	return NULL;
}

TEST_F_TIMEOUT(fiber, while_parked, SLOW_S)
{
	int fd = group_create(&self->nl);
	struct crew crew;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(crew_start(&crew, 1, fd, park_a_second, NULL));
	ASSERT_TRUE(wait_asleep(crew.mate[0].tid));
	close(fd);
	EXPECT_EQ(1, groups_now(&self->nl));
	EXPECT_EQ(1, members_now(&self->nl));
	crew_join(&crew);
	EXPECT_EQ(-ETIMEDOUT, crew.mate[0].err);
	EXPECT_EQ(0, groups_now(&self->nl));
	EXPECT_EQ(0, members_now(&self->nl));
	crew_free(&crew);
}

/* Through a copy of the descriptor all goes on. */
TEST_F(fiber, one_of_two)
{
	int fd = group_create(&self->nl), copy = dup(fd);
	struct crew crew;

	ASSERT_LE(0, copy);
	ASSERT_TRUE(crew_start(&crew, 1, fd, park_a_second, NULL));
	ASSERT_TRUE(wait_asleep(crew.mate[0].tid));
	close(fd);
	EXPECT_EQ(0, group_resume(copy, crew.mate[0].handle));
	crew_join(&crew);
	EXPECT_EQ(0, crew.mate[0].err);
	crew_free(&crew);
}

/* Closes and opens race with parks and resumes of another group's threads. */
static void *create_and_close(struct mate *mate)
{
	int *fd = mate->crew->arg;

	for (int i = 0; i < 300; i++) {
		group_resume(*fd, 1 + i % 4);
		group_park(*fd, in_ns(MS / 10));
		group_attach(*fd);
	}
	return NULL;
}

TEST_F_TIMEOUT(fiber, in_use, SLOW_S)
{
	struct crew crew;
	int fd = group_create(&self->nl), other = dup(fd);

	ASSERT_LE(0, other);
	ASSERT_TRUE(crew_start(&crew, 4, fd, create_and_close, &other));
	for (int i = 0; i < 300; i++) {
		int next = group_create(&self->nl);

		ASSERT_LE(0, next);
		/* The number now means a group that the threads are not in. */
		dup2(next, other);
		close(next);
	}
	crew_join(&crew);
	crew_free(&crew);
}

TEST_HARNESS_MAIN
