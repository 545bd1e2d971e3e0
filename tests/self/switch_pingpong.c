// SPDX-License-Identifier: MIT
/*
 * Threads that switch round robin: none is woken out of turn, none is forgotten.
 *
 * A turn counter, changed only by who has the turn, says whose turn it is. A
 * wake too many shows as a thread that runs out of turn, one too few as a park
 * that ends at its deadline.
 */
#include <sched.h>
#include "self.h"
#include "group.h"

/* As many for each, whatever the shape. */
#define SWITCHES (64 * 314)

struct game {
	unsigned long turn;
};

static unsigned long turn_of(struct game *game)
{
	return __atomic_load_n(&game->turn, __ATOMIC_RELAXED);
}

static uint32_t next_of(const struct mate *mate)
{
	const struct crew *crew = mate->crew;

	return crew->mate[(mate->index + 1) % crew->n].handle;
}

static void *play(struct mate *mate)
{
	struct game *game = mate->crew->arg;
	int fd = mate->crew->fd, n = mate->crew->n;

	if (mate->index)
		mate->err = group_park(fd, in_ns(PATIENCE_NS));
	while (!mate->err && turn_of(game) < SWITCHES) {
		if (turn_of(game) % n != (unsigned long)mate->index) {
			mate->err = -EPROTO;
			break;
		}
		__atomic_fetch_add(&game->turn, 1, __ATOMIC_RELAXED);
		mate->count++;
		mate->err =
			group_switch_to(fd, next_of(mate), in_ns(PATIENCE_NS));
	}
	/* The turn is over for all of them; the next may have ended already. */
	group_resume(fd, next_of(mate));
	return NULL;
}

static void round_robin(TEST_ARG, struct nl *nl, int n)
{
	struct game game = { 0 };
	struct crew crew;
	int fd = group_create(nl);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(crew_start(&crew, n, fd, play, &game));
	crew_join(&crew);
	for (int i = 0; i < n; i++) {
		EXPECT_EQ(0, crew.mate[i].err);
		EXPECT_EQ(SWITCHES / n, crew.mate[i].count);
	}
	crew_free(&crew);
	close(fd);
	EXPECT_EQ(0, groups_now(nl));
	EXPECT_EQ(0, members_now(nl));
}

static bool stay_on_cpu_0(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	return !sched_setaffinity(0, sizeof(cpus), &cpus);
}

TEST_F_TIMEOUT(fiber, two, SLOW_S)
{
	round_robin(_metadata, &self->nl, 2);
}

TEST_F_TIMEOUT(fiber, two_on_one_cpu, SLOW_S)
{
	ASSERT_TRUE(stay_on_cpu_0());
	round_robin(_metadata, &self->nl, 2);
}

TEST_F_TIMEOUT(fiber, eight, SLOW_S)
{
	round_robin(_metadata, &self->nl, 8);
}

TEST_F_TIMEOUT(fiber, sixty_four, SLOW_S)
{
	round_robin(_metadata, &self->nl, 64);
}

/* With real-time threads: another class, which ignores where to wake. */
TEST_F_TIMEOUT(fiber, two_fifo, SLOW_S)
{
	struct sched_param param = { .sched_priority = 1 };

	ASSERT_TRUE(stay_on_cpu_0());
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &param));
	round_robin(_metadata, &self->nl, 2);
}

TEST_HARNESS_MAIN
