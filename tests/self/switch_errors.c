// SPDX-License-Identifier: MIT
/*
 * What a group refuses is the documented errno, and changes nothing.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "self.h"
#include "group.h"

#define NOBODY 77

FIXTURE(group)
{
	struct nl nl;
	int fd;
	uint32_t me;
};

FIXTURE_SETUP(group)
{
	int err = ask_open(&self->nl);

	if (err == -ENOENT)
		SKIP(return, "the kernel has no family \"fiber\"");
	ASSERT_EQ(0, err);
	self->fd = group_create(&self->nl);
	ASSERT_LE(0, self->fd);
	self->me = group_attach(self->fd);
	ASSERT_LT(0, (int)self->me);
}

FIXTURE_TEARDOWN(group)
{
	close(self->fd);
	ask_close(&self->nl);
}

static const struct {
	const char *what;
	int err;
	struct fiber_switch s;
} refusals[] = {
	{ "no such target", -ESRCH, { NOBODY, 0, FOREVER } },
	{ "no such target, nowait",
	  -ESRCH,
	  { NOBODY, FIBER_SWITCH_FLAG_NOWAIT, 0 } },
	{ "the largest target", -ESRCH, { UINT32_MAX, 0, FOREVER } },
	{ "a negative target", -ESRCH, { (uint32_t)INT32_MIN, 0, FOREVER } },
	{ "an unknown flag", -EINVAL, { 0, 2, 0 } },
	{ "all flags", -EINVAL, { NOBODY, UINT32_MAX, 0 } },
	{ "nothing to do", -EINVAL, { 0, FIBER_SWITCH_FLAG_NOWAIT, 0 } },
	{ "a deadline of nothing",
	  -EINVAL,
	  { NOBODY, FIBER_SWITCH_FLAG_NOWAIT, 1 } },
	{ "a past deadline", -ETIMEDOUT, { 0, 0, 1 } },
	{ "a time before the clock began", -ETIMEDOUT, { 0, 0, -1 } },
	{ "the least time", -ETIMEDOUT, { 0, 0, INT64_MIN } },
};

TEST_F(group, refusals)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct fiber_switch s = refusals[i].s;

		EXPECT_EQ(refusals[i].err, group_switch(self->fd, &s))
		TH_LOG("%s", refusals[i].what);
		EXPECT_EQ(refusals[i].s.target, s.target);
	}
	EXPECT_EQ(0, group_has_token(self->fd));
}

TEST_F(group, deadline)
{
	int64_t until = in_ns(30 * MS);

	EXPECT_EQ(-ETIMEDOUT, group_park(self->fd, until));
	EXPECT_LE(until, in_ns(0));
}

/* Whose clock is a thousand seconds ahead: its deadlines are by that one. */
static int park_ahead(void *arg)
{
	int64_t until;
	struct nl nl;
	int fd;

	(void)arg;
	if (ask_open(&nl))
		return 1;
	fd = group_create(&nl);
	if (fd < 0 || group_attach(fd) < 0)
		return 2;
	until = in_ns(30 * MS);
	if (until < 1000 * (int64_t)SECOND)
		return 3;
	if (group_park(fd, until) != -ETIMEDOUT || in_ns(0) < until)
		return 4;
	return 0;
}

static bool set_clock_ahead(void)
{
	int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, "monotonic 1000 0", 16) == 16;

	close(fd);
	return ok;
}

TEST_F(group, deadline_in_time_namespace)
{
	if (unshare(CLONE_NEWTIME))
		SKIP(return, "no time namespaces");
	ASSERT_TRUE(set_clock_ahead());
	EXPECT_EQ(0, child_run(park_ahead, NULL));
}

TEST_F(group, not_a_member)
{
	EXPECT_EQ(0, group_detach(self->fd));
	EXPECT_EQ(-ENOENT, group_detach(self->fd));
	EXPECT_EQ(-ENOENT, group_park(self->fd, FOREVER));
	EXPECT_EQ(-ENOENT, group_switch_to(self->fd, NOBODY, FOREVER));
	EXPECT_EQ(-ESRCH, group_resume(self->fd, self->me));
}

/* Only to park must one be a member. */
static void *wait_once(struct mate *mate)
{
	mate->err = group_park(mate->crew->fd, in_ns(PATIENCE_NS));
	return NULL;
}

TEST_F(group, a_stranger_resumes)
{
	struct crew crew;

	ASSERT_EQ(0, group_detach(self->fd));
	ASSERT_TRUE(crew_start(&crew, 1, self->fd, wait_once, NULL));
	ASSERT_TRUE(wait_asleep(crew.mate[0].tid));
	EXPECT_EQ(0, group_resume(self->fd, crew.mate[0].handle));
	crew_join(&crew);
	EXPECT_EQ(0, crew.mate[0].err);
	EXPECT_EQ(-ESRCH, group_resume(self->fd, crew.mate[0].handle));
	crew_free(&crew);
}

TEST_F(group, twice)
{
	int other = group_create(&self->nl);

	ASSERT_LE(0, other);
	EXPECT_EQ(-EBUSY, group_attach(self->fd));
	EXPECT_EQ(-EBUSY, group_attach(other));
	EXPECT_EQ(-ENOENT, group_detach(other));
	EXPECT_EQ(-ENOENT, group_park(other, FOREVER));
	EXPECT_EQ(1, members_now(&self->nl));
	EXPECT_EQ(0, group_detach(self->fd));
	EXPECT_LT(0, group_attach(other));
	close(other);
	EXPECT_EQ(0, members_now(&self->nl));
	EXPECT_LT(0, group_attach(self->fd));
}

static int call(int fd, unsigned long cmd, unsigned long arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

TEST_F(group, arguments)
{
	static const unsigned long pointers[] = { 0, 8, -1ul, -4096ul, -16ul };

	for (int i = 0; i < 5; i++)
		EXPECT_EQ(-EFAULT,
			  call(self->fd, FIBER_IOC_SWITCH, pointers[i]));
	EXPECT_EQ(-EINVAL, call(self->fd, FIBER_IOC_DETACH, 1));
	EXPECT_EQ(0, group_detach(self->fd));
	EXPECT_EQ(-EINVAL, call(self->fd, FIBER_IOC_ATTACH, 1));
	EXPECT_EQ(-ENOTTY, call(self->fd, _IO(FIBER_IOC_TYPE, 0), 0));
	EXPECT_EQ(-ENOTTY, call(self->fd, _IO(FIBER_IOC_TYPE, 200), 0));
}

/* What the kernel need not write may be read-only. */
TEST_F(group, read_only)
{
	struct fiber_switch *s =
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, s);
	EXPECT_EQ(-ETIMEDOUT, group_switch(self->fd, s));
}

/* The family's own refusals, each with a sentence. */
TEST_F(group, no_descriptor)
{
	struct rlimit none = { 0, 0 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, group_create(&self->nl));
	EXPECT_NE('\0', self->nl.sentence[0]);
	EXPECT_EQ(1, groups_now(&self->nl));
}

TEST_F(group, anothers_socket)
{
	ASSERT_TRUE(become(USER_ID));
	EXPECT_EQ(-EPERM, group_create(&self->nl));
	EXPECT_NE('\0', self->nl.sentence[0]);
}

TEST_HARNESS_MAIN
