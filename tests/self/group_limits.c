// SPDX-License-Identifier: MIT
/*
 * What one user may have of groups and of members.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "self.h"
#include "group.h"

#define PARAMETERS "/sys/module/fiber/parameters/"
#define GROUPS_MAX 256
#define FEW 8

static bool set_limit(const char *path, const char *limit)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, limit, strlen(limit)) > 0;

	close(fd);
	return ok;
}

static int fill_groups(void *arg)
{
	struct nl nl;
	int fd[GROUPS_MAX];

	(void)arg;
	if (!become(USER_ID) || ask_open(&nl))
		return 1;
	for (int i = 0; i < GROUPS_MAX; i++) {
		fd[i] = group_create(&nl);
		if (fd[i] < 0)
			return 2;
	}
	if (group_create(&nl) != -EDQUOT || !nl.sentence[0])
		return 3;
	close(fd[77]);
	if (group_create(&nl) < 0 || group_create(&nl) != -EDQUOT)
		return 4;
	return 0;
}

TEST_F_TIMEOUT(fiber, groups, SLOW_S)
{
	EXPECT_EQ(0, child_run(fill_groups, NULL));
	EXPECT_EQ(0, groups_now(&self->nl));
}

/* One user's are no other's. */
static int fill_and_sleep(void *arg)
{
	int err = fill_groups(NULL);

	gate_open(arg, 1);
	return err ? err : sleep_for_ever(NULL);
}

TEST_F_TIMEOUT(fiber, groups_of_another, SLOW_S)
{
	struct gate full;
	pid_t pid;
	int fd;

	ASSERT_TRUE(gate_make(&full));
	pid = child_start(fill_and_sleep, &full);
	gate_wait(&full);
	EXPECT_EQ(GROUPS_MAX, groups_now(&self->nl));
	fd = group_create(&self->nl);
	EXPECT_LE(0, fd);
	EXPECT_LT(0, group_attach(fd));
	child_kill(pid);
	EXPECT_EQ(1, groups_now(&self->nl));
}

static void *wait_for_end(struct mate *mate)
{
	mate->err = group_park(mate->crew->fd, in_ns(PATIENCE_NS));
	return NULL;
}

/* The limit counts the members of all groups of the user. */
TEST_F_TIMEOUT(fiber, members, SLOW_S)
{
	int fd = group_create(&self->nl), other = group_create(&self->nl);
	struct crew crew;

	ASSERT_LE(0, other);
	ASSERT_TRUE(set_limit(PARAMETERS "members_user_max", "8"));
	ASSERT_TRUE(crew_start(&crew, FEW, fd, wait_for_end, NULL));
	EXPECT_EQ(-EDQUOT, group_attach(fd));
	EXPECT_EQ(-EDQUOT, group_attach(other));
	for (int i = 0; i < FEW; i++)
		EXPECT_EQ(0, group_resume(fd, crew.mate[i].handle));
	crew_join(&crew);
	/* Those that have ended do not count, though nobody has detached. */
	EXPECT_LT(0, group_attach(other));
	EXPECT_EQ(0, group_detach(other));
	EXPECT_TRUE(set_limit(PARAMETERS "members_user_max", "16384"));
	for (int i = 0; i < FEW; i++)
		EXPECT_EQ(0, crew.mate[i].err);
	crew_free(&crew);
}

TEST_HARNESS_MAIN
