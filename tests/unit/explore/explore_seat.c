// SPDX-License-Identifier: MIT
/*
 * Workers that give up their seats and want them back: what others have to do
 * goes on, nothing is forgotten, and there are as many seats as there were.
 */
#include <errno.h>

#include <fiber/block.h>
#include <fiber/time.h>

#include "chan.h"
#include "sched.h"
#include "workers.h"

#define FIBERS 4

static struct fiber *fibers[FIBERS];
static at(uint32_t) freed; /* who blocks may go on */
static struct fiber_chan *chan;

/* Those without a seat are asleep. */
static void begin(void *arg)
{
	void (*fn)(void) = (void (*)(void))arg;

	while (at_load(&_fiber_rt.spares, RELAXED) + _fiber_rt.nr_workers <
	       fiber_workers_made())
		explore_yield();
	fn();
	explore_stop_workers();
}

static void run_beside(void (*fn)(void))
{
	at_store(&freed, 0, RELAXED);
	explore_add_client("main", begin, (void *)fn);
	explore_run();
	explore_check_workers();
}

static void run_main(unsigned int workers, unsigned int spares, uint32_t flags,
		     void (*fn)(void))
{
	explore_env.clock_is_virtual = flags & FIBER_TEST_CLOCK;
	explore_add_workers(workers, flags);
	explore_add_spares(spares);
	run_beside(fn);
}

/* The thread does not go on before somebody else has run. */
static void block(void)
{
	while (!at_load(&freed, ACQUIRE))
		explore_yield();
}

static int set_free(void *arg)
{
	(void)arg;
	at_store(&freed, 1, RELEASE);
	return 0;
}

static int announce_and_block(void *arg)
{
	(void)arg;
	fiber_blocking_begin();
	block();
	fiber_blocking_end();
	fiber_yield();
	return 0;
}

static void one_who_announces(void)
{
	explore_spawn(&fibers[0], announce_and_block, NULL);
	explore_spawn(&fibers[1], set_free, NULL);
	EXPECT_EQ(explore_join(fibers[0]), 0);
	EXPECT_EQ(explore_join(fibers[1]), 0);
}

/* What it has made itself, and so is queued at its own worker. */
static int make_and_block(void *arg)
{
	explore_spawn(&fibers[1], set_free, NULL);
	fiber_blocking_begin();
	block();
	fiber_blocking_end();
	return explore_join(fibers[1]) + !!arg;
}

static void one_with_a_child(void)
{
	explore_spawn(&fibers[0], make_and_block, NULL);
	EXPECT_EQ(explore_join(fibers[0]), 0);
}

/* Two that block for nothing, over and over, beside two that do not. */
static int announce_often(void *arg)
{
	int i;

	for (i = 0; i < 2; i++) {
		fiber_blocking_begin();
		explore_yield();
		fiber_blocking_end();
	}
	return !!arg;
}

static int yield_often(void *arg)
{
	int i;

	for (i = 0; i < 2; i++)
		fiber_yield();
	return !!arg;
}

static void some_who_announce(void)
{
	int i;

	for (i = 0; i < FIBERS; i++)
		explore_spawn(&fibers[i], i % 2 ? yield_often : announce_often,
			      NULL);
	for (i = 0; i < FIBERS; i++)
		EXPECT_EQ(explore_join(fibers[i]), 0);
}

/* It waits in a channel without a seat, and is woken by one that has one. */
static int receive_apart(void *arg)
{
	int sum = 0;
	int value;
	int i;

	fiber_blocking_begin();
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(fiber_recv(chan, &value), 0);
		sum += value;
	}
	fiber_blocking_end();
	return sum + !!arg;
}

static int send_both(void *arg)
{
	int i;

	for (i = 1; i <= 2; i++)
		EXPECT_EQ(fiber_send(chan, &i), 0);
	return !!arg;
}

static void waits_apart(void)
{
	CHECK(!fiber_chan_new(&chan, sizeof(int), 0, NULL));
	explore_spawn(&fibers[0], receive_apart, NULL);
	explore_spawn(&fibers[1], send_both, NULL);
	EXPECT_EQ(explore_join(fibers[0]), 3);
	EXPECT_EQ(explore_join(fibers[1]), 0);
	fiber_chan_put(chan);
}

/* When they are woken the worker has more to do: each is given a thread. */
static void wait_apart_beside_others(void)
{
	int i;

	CHECK(!fiber_chan_new(&chan, sizeof(int), 0, NULL));
	explore_spawn(&fibers[0], receive_apart, NULL);
	explore_spawn(&fibers[1], receive_apart, NULL);
	explore_spawn(&fibers[2], yield_often, NULL);
	for (i = 0; i < 2; i++)
		send_both(NULL);
	EXPECT_EQ(explore_join(fibers[0]) + explore_join(fibers[1]), 6);
	EXPECT_EQ(explore_join(fibers[2]), 0);
	fiber_chan_put(chan);
}

/* Both are blocked at once: neither waits behind the other. */
static at(uint32_t) come, met;

static int meet_apart(void *arg)
{
	int value;

	fiber_blocking_begin();
	at_add(&come, 1);
	EXPECT_EQ(fiber_recv(chan, &value), 0);
	at_add(&met, 1);
	while (at_load(&met, ACQUIRE) < 2)
		explore_yield();
	fiber_blocking_end();
	return !!arg;
}

/*
 * The first is woken when the worker has something else to do, and so is given to
 * a spare; the second when that worker sleeps, and its seat is to be had.
 */
static void two_who_meet(void)
{
	int i = 0;

	at_store(&come, 0, RELAXED);
	at_store(&met, 0, RELAXED);
	CHECK(!fiber_chan_new(&chan, sizeof(int), 0, NULL));
	explore_spawn(&fibers[0], meet_apart, NULL);
	explore_spawn(&fibers[1], meet_apart, NULL);
	while (at_load(&come, ACQUIRE) < 2)
		explore_yield();
	EXPECT_EQ(fiber_send(chan, &i), 0);
	explore_spawn(&fibers[2], yield_often, NULL);
	while (!at_load(&_fiber_rt.idle, ACQUIRE))
		explore_yield();
	EXPECT_EQ(fiber_send(chan, &i), 0);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(explore_join(fibers[i]), 0);
	fiber_chan_put(chan);
}

/* Alarms of a worker that has lost its seat, and of one that has found one. */
static int sleep_apart(void *arg)
{
	int64_t start = explore_now();

	fiber_blocking_begin();
	EXPECT_EQ(fiber_sleep(5), 0);
	EXPECT(explore_now() >= start + 5);
	fiber_blocking_end();
	EXPECT_EQ(fiber_sleep(5), 0);
	EXPECT(explore_now() >= start + 10);
	return !!arg;
}

static void sleeps_apart(void)
{
	int i;

	for (i = 0; i < 2; i++)
		explore_spawn(&fibers[i], sleep_apart, NULL);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(explore_join(fibers[i]), 0);
}

/* It wants this thread, whether that has a seat or not. */
static int block_pinned(void *arg)
{
	struct fiber_here *here;
	int value;

	fiber_pin();
	here = _fiber_here();
	fiber_blocking_begin();
	explore_yield();
	fiber_blocking_end();
	EXPECT_EQ(fiber_recv(chan, &value), 0);
	EXPECT(here == _fiber_here());
	fiber_unpin();
	return value + !!arg;
}

static void pinned_apart(void)
{
	int value = 7;

	CHECK(!fiber_chan_new(&chan, sizeof(int), 0, NULL));
	explore_spawn(&fibers[0], block_pinned, NULL);
	explore_spawn(&fibers[1], announce_often, NULL);
	EXPECT_EQ(fiber_send(chan, &value), 0);
	EXPECT_EQ(explore_join(fibers[0]), 7);
	EXPECT_EQ(explore_join(fibers[1]), 0);
	fiber_chan_put(chan);
}

/* Nobody says anything: the monitor finds out. */
static int block_silently(void *arg)
{
	(void)arg;
	block();
	fiber_yield();
	return 0;
}

static void one_who_is_silent(void)
{
	explore_spawn(&fibers[0], block_silently, NULL);
	explore_spawn(&fibers[1], yield_often, NULL);
	explore_spawn(&fibers[2], set_free, NULL);
	EXPECT_EQ(explore_join(fibers[0]), 0);
	EXPECT_EQ(explore_join(fibers[1]), 0);
	EXPECT_EQ(explore_join(fibers[2]), 0);
}

/* Another worker has nothing to do, and may lose its seat as well. */
static void one_who_is_silent_and_alone(void)
{
	explore_spawn(&fibers[0], block_silently, NULL);
	while (!at_load(&_fiber_rt.replaced, RELAXED))
		explore_yield();
	set_free(NULL);
	EXPECT_EQ(explore_join(fibers[0]), 0);
}

/*
 * There are no more threads: when one blocks and the spare is just about to lie
 * down, the monitor is who tries again.
 */
static void add_monitor(void)
{
	explore_env.is_blocked = true;
	explore_add_monitor();
}

static void announced_shape(void)
{
	add_monitor();
	run_main(1, 1, 0, one_who_announces);
}

static void announced_of_two_shape(void)
{
	add_monitor();
	run_main(2, 1, 0, one_who_announces);
}

static void child_shape(void)
{
	add_monitor();
	run_main(1, 1, 0, one_with_a_child);
}

static void often_shape(void)
{
	run_main(2, 1, 0, some_who_announce);
}

static void often_one_shape(void)
{
	run_main(1, 2, 0, some_who_announce);
}

static void often_migrate_shape(void)
{
	explore_add_monitor();
	run_main(2, 1, FIBER_TEST_MIGRATE, some_who_announce);
}

static void chan_shape(void)
{
	run_main(1, 2, 0, waits_apart);
}

static void chan_beside_shape(void)
{
	run_main(1, 3, 0, wait_apart_beside_others);
}

static void meet_shape(void)
{
	add_monitor();
	run_main(1, 3, 0, two_who_meet);
}

static void sleep_shape(void)
{
	run_main(1, 1, 0, sleeps_apart);
}

static void virtual_sleep_shape(void)
{
	run_main(1, 2, FIBER_TEST_CLOCK, sleeps_apart);
}

static void pinned_shape(void)
{
	run_main(1, 2, 0, pinned_apart);
}

static void silent_shape(void)
{
	add_monitor();
	run_main(1, 2, 0, one_who_is_silent);
}

/* It makes the thread that takes the seat, and that looks for one by itself. */
static void silent_made_shape(void)
{
	add_monitor();
	explore_add_workers(2, 0);
	explore_allow_spares(1);
	run_beside(one_who_is_silent_and_alone);
}

/* The same, but it looks as if it computed. */
static void hog_shape(void)
{
	explore_add_monitor();
	run_main(1, 2, 0, one_who_is_silent);
}

static void who_announces_it_keeps_nobody(void)
{
	EXPLORE(announced_shape, 2500);
}

static void nor_with_two_workers(void)
{
	EXPLORE(announced_of_two_shape, 2500);
}

static void nor_its_own_children(void)
{
	EXPLORE(child_shape, 2500);
}

static void many_announcements(void)
{
	EXPLORE(often_shape, 2500);
}

static void many_announcements_of_one_worker(void)
{
	EXPLORE(often_one_shape, 2500);
}

static void many_announcements_and_migration(void)
{
	EXPLORE(often_migrate_shape, 1000);
}

static void waits_without_a_seat(void)
{
	EXPLORE(chan_shape, 2500);
}

static void waits_beside_others(void)
{
	EXPLORE(chan_beside_shape, 2000);
}

static void blocked_at_once(void)
{
	EXPLORE(meet_shape, 2000);
}

static void sleeps_without_a_seat(void)
{
	EXPLORE(sleep_shape, 2000);
}

static void sleeps_in_virtual_time(void)
{
	EXPLORE(virtual_sleep_shape, 2000);
}

static void pinned_without_a_seat(void)
{
	EXPLORE(pinned_shape, 2000);
}

static void who_blocks_in_silence(void)
{
	EXPLORE(silent_shape, 1500);
}

static void who_blocks_while_threads_are_made(void)
{
	EXPLORE(silent_made_shape, 1000);
}

static void who_computes_for_long(void)
{
	EXPLORE(hog_shape, 1500);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(who_announces_it_keeps_nobody),
		TEST(nor_with_two_workers),
		TEST(nor_its_own_children),
		TEST(many_announcements),
		TEST(many_announcements_of_one_worker),
		TEST(many_announcements_and_migration),
		TEST(waits_without_a_seat),
		TEST(waits_beside_others),
		TEST(blocked_at_once),
		TEST(sleeps_without_a_seat),
		TEST(sleeps_in_virtual_time),
		TEST(pinned_without_a_seat),
		TEST(who_blocks_in_silence),
		TEST(who_blocks_while_threads_are_made),
		TEST(who_computes_for_long),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
