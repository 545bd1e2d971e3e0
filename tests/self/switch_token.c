// SPDX-License-Identifier: MIT
/*
 * A resume that comes before the park is kept: the two commute.
 */
#include "self.h"
#include "group.h"

/* The thread resumes itself: nobody else is needed to leave a token. */
TEST_F(fiber, resume_first)
{
	int fd = group_create(&self->nl), me;

	ASSERT_LE(0, fd);
	me = group_attach(fd);
	ASSERT_LT(0, me);
	EXPECT_EQ(0, group_has_token(fd));
	EXPECT_EQ(0, group_resume(fd, me));
	EXPECT_EQ(0, group_park(fd, FOREVER));
	EXPECT_EQ(0, group_has_token(fd));
}

TEST_F(fiber, many_are_one)
{
	int fd = group_create(&self->nl), me;

	ASSERT_LE(0, fd);
	me = group_attach(fd);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(0, group_resume(fd, me));
	EXPECT_EQ(1, group_has_token(fd));
	EXPECT_EQ(0, group_has_token(fd));
}

/* A switch to oneself is a resume and a park, which takes its token. */
TEST_F(fiber, switch_to_self)
{
	int fd = group_create(&self->nl), me;

	ASSERT_LE(0, fd);
	me = group_attach(fd);
	EXPECT_EQ(0, group_switch_to(fd, me, FOREVER));
	EXPECT_EQ(0, group_has_token(fd));
}

static void *take_one(struct mate *mate)
{
	bool *go = mate->crew->arg;

	while (!__atomic_load_n(go, __ATOMIC_ACQUIRE))
		sleep_ns(MS);
	mate->err = group_park(mate->crew->fd, in_ns(PATIENCE_NS));
	mate->count = group_has_token(mate->crew->fd);
	return NULL;
}

/* Of another thread, which does something else in the meantime. */
TEST_F(fiber, others_token)
{
	int fd = group_create(&self->nl);
	struct crew crew;
	bool go = false;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(crew_start(&crew, 1, fd, take_one, &go));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, group_resume(fd, crew.mate[0].handle));
	__atomic_store_n(&go, true, __ATOMIC_RELEASE);
	crew_join(&crew);
	EXPECT_EQ(0, crew.mate[0].err);
	EXPECT_EQ(0, crew.mate[0].count);
	crew_free(&crew);
}

/* A token is the member's: it goes with a detach. */
TEST_F(fiber, detach_drops_it)
{
	int fd = group_create(&self->nl), me;

	ASSERT_LE(0, fd);
	me = group_attach(fd);
	EXPECT_EQ(0, group_resume(fd, me));
	EXPECT_EQ(0, group_detach(fd));
	EXPECT_EQ(-ESRCH, group_resume(fd, me));
	ASSERT_LT(me, group_attach(fd));
	EXPECT_EQ(0, group_has_token(fd));
}

#define POSTERS 3
#define POSTS 3000

struct storm {
	unsigned long posted;
	uint32_t target;
};

static void *post(struct mate *mate)
{
	struct storm *storm = mate->crew->arg;

	for (int i = 0; i < POSTS && !mate->err; i++) {
		__atomic_fetch_add(&storm->posted, 1, __ATOMIC_RELEASE);
		mate->err = group_resume(mate->crew->fd, storm->target);
	}
	return NULL;
}

/*
 * Some post, one parks until all has been posted: a resume that got lost in
 * the race with a park, or with a deadline, leaves it parked.
 */
static void weather(TEST_ARG, struct nl *nl, int64_t nap_ns)
{
	struct storm storm = { 0 };
	struct crew crew;
	int fd = group_create(nl), err = 0;
	int64_t end = in_ns(PATIENCE_NS);

	ASSERT_LE(0, fd);
	storm.target = group_attach(fd);
	ASSERT_TRUE(crew_start(&crew, POSTERS, fd, post, &storm));
	while (!err && __atomic_load_n(&storm.posted, __ATOMIC_ACQUIRE) <
			       POSTERS * POSTS) {
		err = group_park(fd, nap_ns ? in_ns(nap_ns) : end);
		if (err == -ETIMEDOUT && in_ns(0) < end)
			err = 0;
	}
	EXPECT_EQ(0, err);
	crew_join(&crew);
	for (int i = 0; i < POSTERS; i++)
		EXPECT_EQ(0, crew.mate[i].err);
	crew_free(&crew);
}

TEST_F_TIMEOUT(fiber, storm, SLOW_S)
{
	weather(_metadata, &self->nl, 0);
}

TEST_F_TIMEOUT(fiber, storm_with_deadlines, SLOW_S)
{
	weather(_metadata, &self->nl, 20000);
}

TEST_HARNESS_MAIN
