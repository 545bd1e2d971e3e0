// SPDX-License-Identifier: MIT
/*
 * Nobody waits for ever: a fiber that is ready runs within 61 + 16 * (n + 1)
 * dispatches of its worker, where n is how many are in its queue, whatever the
 * others do.
 *
 * There is one worker, so that what all workers dispatch is what it does.
 */
#include <stdlib.h>

#include "harness.h"
#include "runtime.h"

#define TURNS RUNTIME_TIMES(5000)

/* A second thread that takes over while the first is slow would upset counts. */
static void run_alone(int (*fn)(void *), void *arg)
{
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 1,
				       .spares = FIBER_SPARES_NONE };

	CHECK_EQ(fiber_run(fn, arg, &config), 0);
}

static atomic_int stop;
static uint64_t longest;
static uint64_t rounds;

static uint64_t bound(int others)
{
	return 61 + 16 * ((uint64_t)others + 1);
}

/* How many dispatches it was that this waited. */
static void yield_and_measure(void)
{
	uint64_t before = runtime_status().dispatches;
	uint64_t waited;

	fiber_yield();
	waited = runtime_status().dispatches - before;
	if (waited > longest)
		longest = waited;
}

static int measure(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < TURNS; i++)
		yield_and_measure();
	return 0;
}

static int yield_on(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		fiber_yield();
	return 0;
}

static void check_longest(int others)
{
	test_note("%d others: waited for at most %llu dispatches of %llu",
		  others, (unsigned long long)longest,
		  (unsigned long long)bound(others));
	CHECK(longest <= bound(others));
}

/*
 * Send and receive in turn: who is woken so runs next, before the queue. The
 * pair never lets go of the worker by itself.
 */
struct pair {
	struct fiber_chan *there, *back;
};

static int play_first(void *arg)
{
	struct pair *pair = arg;

	while (!atomic_load(&stop)) {
		CHECK_EQ(fiber_send(pair->there, NULL), 0);
		CHECK_EQ(fiber_recv(pair->back, NULL), 0);
		rounds++;
	}
	CHECK_EQ(fiber_chan_close(pair->there), 0);
	return 0;
}

static int play_second(void *arg)
{
	struct pair *pair = arg;

	while (fiber_recv(pair->there, NULL) == 0)
		CHECK_EQ(fiber_send(pair->back, NULL), 0);
	return 0;
}

static void check_beside_pair(int yielders)
{
	struct fiber *players[2], *measuring, *fibers[100];
	struct pair pair;
	int i;

	CHECK_EQ(fiber_chan_new(&pair.there, 0, 0, NULL), 0);
	CHECK_EQ(fiber_chan_new(&pair.back, 0, 0, NULL), 0);
	players[0] = runtime_spawn(play_first, &pair);
	players[1] = runtime_spawn(play_second, &pair);
	for (i = 0; i < yielders; i++)
		fibers[i] = runtime_spawn(yield_on, NULL);
	measuring = runtime_spawn(measure, NULL);
	CHECK_EQ(runtime_join(measuring), 0);
	CHECK(rounds > TURNS / 100);
	atomic_store(&stop, 1);
	for (i = 0; i < yielders; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	CHECK_EQ(runtime_join(players[0]), 0);
	CHECK_EQ(runtime_join(players[1]), 0);
	check_longest(yielders + 2);
	fiber_chan_put(pair.there);
	fiber_chan_put(pair.back);
}

static int beside_pair_alone(void *arg)
{
	(void)arg;
	check_beside_pair(0);
	return 0;
}

static int beside_pair_and_yielders(void *arg)
{
	(void)arg;
	check_beside_pair(20);
	return 0;
}

static void beside_two_that_wake_each_other(void)
{
	run_alone(beside_pair_alone, NULL);
}

static void beside_two_and_a_queue(void)
{
	run_alone(beside_pair_and_yielders, NULL);
}

static int note_dispatches(void *at)
{
	*(uint64_t *)at = runtime_status().dispatches;
	return 0;
}

static int fresh_beside_yielders(void *arg)
{
	struct fiber *fibers[50];
	uint64_t before, at;
	int i;

	(void)arg;
	for (i = 0; i < 50; i++)
		fibers[i] = runtime_spawn(yield_on, NULL);
	for (i = 0; i < TURNS / 50; i++) {
		before = runtime_status().dispatches;
		CHECK_EQ(runtime_join(runtime_spawn(note_dispatches, &at)), 0);
		if (at - before > longest)
			longest = at - before;
	}
	atomic_store(&stop, 1);
	for (i = 0; i < 50; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	check_longest(51);
	return 0;
}

static void fresh_one_beside_yielders(void)
{
	run_alone(fresh_beside_yielders, NULL);
}

/* One is always waiting to be started. */
static void spawn_on(void *arg)
{
	rounds++;
	if (!atomic_load(&stop))
		CHECK_EQ(fiber_go(spawn_on, arg), 0);
}

static void stop_spawning(void)
{
	atomic_store(&stop, 1);
	while (runtime_status().fibers > 1)
		fiber_yield();
}

static int beside_flood(void *arg)
{
	struct fiber *fibers[20];
	int i;

	(void)arg;
	for (i = 0; i < 3; i++)
		CHECK_EQ(fiber_go(spawn_on, NULL), 0);
	for (i = 0; i < 20; i++)
		fibers[i] = runtime_spawn(measure, NULL);
	for (i = 0; i < 20; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	check_longest(20);
	CHECK(rounds > TURNS / 100);
	stop_spawning();
	return 0;
}

static void beside_a_flood_of_fresh_ones(void)
{
	run_alone(beside_flood, NULL);
}

static int set_word(void *word)
{
	atomic_store((atomic_int *)word, 1);
	return 0;
}

/* The latest is the first to start, but this one starts all the same. */
static int below_flood(void *arg)
{
	atomic_int ran = 0;
	struct fiber *oldest = runtime_spawn(set_word, &ran);
	uint64_t before;
	int i;

	(void)arg;
	for (i = 0; i < 3; i++)
		CHECK_EQ(fiber_go(spawn_on, NULL), 0);
	before = runtime_status().dispatches;
	runtime_await(&ran, 1);
	test_note("oldest fresh fiber ran after %llu dispatches",
		  (unsigned long long)(runtime_status().dispatches - before));
	CHECK_EQ(runtime_join(oldest), 0);
	stop_spawning();
	return 0;
}

static void oldest_below_a_flood_of_newer_ones(void)
{
	run_alone(below_flood, NULL);
}

/* From outside they come in by another queue. */
static void from_outside(void)
{
	struct fiber *fibers[50];
	int i, j;

	runtime_start(1, 0);
	for (i = 0; i < 50; i++)
		fibers[i] = runtime_spawn(yield_on, NULL);
	for (i = 0; i < TURNS / 50; i++) {
		atomic_int ran = 0;
		struct fiber *fresh = runtime_spawn(set_word, &ran);

		CHECK_EQ(runtime_join(fresh), 0);
		CHECK_EQ(atomic_load(&ran), 1);
	}
	atomic_store(&stop, 1);
	for (j = 0; j < 50; j++)
		CHECK_EQ(runtime_join(fibers[j]), 0);
	runtime_stop();
}

static int count_turns(void *arg)
{
	int *turns = arg;

	while (!atomic_load(&stop)) {
		++*turns;
		fiber_yield();
	}
	return 0;
}

static void share(int n, int *min, int *max)
{
	struct fiber **fibers = malloc(n * sizeof(fibers[0]));
	int *turns = calloc(n, sizeof(turns[0]));
	int i;

	CHECK(fibers && turns);
	for (i = 0; i < n; i++)
		fibers[i] = runtime_spawn(count_turns, &turns[i]);
	while (turns[0] < 500)
		fiber_yield();
	atomic_store(&stop, 1);
	*min = *max = turns[0];
	for (i = 0; i < n; i++) {
		*min = turns[i] < *min ? turns[i] : *min;
		*max = turns[i] > *max ? turns[i] : *max;
	}
	for (i = 0; i < n; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	test_note("%d yielders had %d to %d turns", n, *min, *max);
	free(fibers);
	free(turns);
}

static int share_in_queue(void *arg)
{
	int min, max;

	(void)arg;
	share(100, &min, &max);
	/* Started one after the other, they start with different counts. */
	CHECK(min * 2 >= max);
	return 0;
}

static void yielders_have_equal_shares(void)
{
	run_alone(share_in_queue, NULL);
}

/* More than there is room for in the worker's own queue. */
static int share_beyond_queue(void *arg)
{
	int min, max;

	(void)arg;
	share(1000, &min, &max);
	CHECK(min > 0);
	return 0;
}

static void none_is_left_out_of_many(void)
{
	run_alone(share_beyond_queue, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(beside_two_that_wake_each_other),
		TEST(beside_two_and_a_queue),
		TEST(fresh_one_beside_yielders),
		TEST(beside_a_flood_of_fresh_ones),
		TEST(oldest_below_a_flood_of_newer_ones),
		TEST(from_outside),
		TEST(yielders_have_equal_shares),
		TEST(none_is_left_out_of_many),
	};

	return RUN(argc, argv, tests);
}
