// SPDX-License-Identifier: MIT
/*
 * The ring and the deque of a worker: its owner against two thieves. Whatever is
 * put in is taken out once, and in order by each who takes from the old end.
 */
#include "explore.h"
#include "runq.h"

#define ITEMS 10
#define ROUNDS 5

static struct fiber_ring ring;
static struct fiber_deque deque;
static unsigned int taken[ITEMS + 1];

/* The queues do not look at what they hold. */
static struct fiber *item(unsigned int i)
{
	return (struct fiber *)(uintptr_t)i;
}

/* Items count from 1. Returns which it was. */
static unsigned int take(struct fiber *f)
{
	unsigned int i = (uintptr_t)f;

	EXPECT(i >= 1 && i <= ITEMS);
	EXPECT_EQ(taken[i], 0);
	taken[i]++;
	return i;
}

static void reset_taken(void)
{
	unsigned int i;

	for (i = 0; i <= ITEMS; i++)
		taken[i] = 0;
}

static void check_taken(void)
{
	unsigned int i;

	for (i = 1; i <= ITEMS; i++)
		EXPECT_EQ(taken[i], 1);
}

static void ring_owner(void *arg)
{
	struct fiber *f;
	unsigned int last = 0;
	unsigned int i;

	(void)arg;
	for (i = 1; i <= ITEMS; i++) {
		while (!fiber_ring_push(&ring, item(i))) {
			f = fiber_ring_pop(&ring);
			if (!f)
				continue;
			EXPECT((uintptr_t)f > last);
			last = take(f);
		}
	}
	while ((f = fiber_ring_pop(&ring)))
		take(f);
}

/* Half of it, or all, or no more than two. */
static void ring_thief(void *arg)
{
	struct fiber *out[FIBER_RING_SIZE];
	unsigned int last = 0;
	unsigned int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		uint32_t max = explore_choose(2) ? FIBER_RING_SIZE : 2;
		uint32_t n =
			fiber_ring_take(&ring, out, max, explore_choose(2));
		uint32_t j;

		EXPECT(n <= max);
		for (j = 0; j < n; j++) {
			EXPECT((uintptr_t)out[j] > last);
			last = take(out[j]);
		}
	}
}

static void ring_popper(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		struct fiber *f = fiber_ring_pop(&ring);

		if (f)
			take(f);
	}
}

static void run_ring(uint32_t start, void (*other)(void *))
{
	reset_taken();
	at_store(&ring.head, start, RELAXED);
	at_store(&ring.tail, start, RELAXED);
	explore_add("owner", ring_owner, NULL);
	explore_add("thief", ring_thief, NULL);
	explore_add("other", other, NULL);
	explore_run();
	check_taken();
	EXPECT_EQ(fiber_ring_len(&ring), 0);
}

static void two_thieves(void)
{
	run_ring(0, ring_thief);
}

static void popper_and_wrap(void)
{
	run_ring(UINT32_MAX - 2, ring_popper);
}

static void ring_with_two_thieves(void)
{
	EXPLORE(two_thieves, 6000);
}

static void ring_that_wraps_around(void)
{
	EXPLORE(popper_and_wrap, 6000);
}

static void deque_owner(void *arg)
{
	struct fiber *f;
	unsigned int i;

	(void)arg;
	for (i = 1; i <= ITEMS; i++) {
		while (!fiber_deque_push(&deque, item(i))) {
			f = fiber_deque_pop(&deque);
			if (f)
				take(f);
		}
		f = explore_choose(3) ? NULL : fiber_deque_pop(&deque);
		if (f)
			take(f);
		f = explore_choose(8) ? NULL : fiber_deque_steal(&deque);
		if (f)
			take(f);
	}
	/* It may be empty for a moment only: a thief was faster. */
	while (fiber_deque_len(&deque)) {
		f = fiber_deque_pop(&deque);
		if (f)
			take(f);
	}
}

static void deque_thief(void *arg)
{
	unsigned int last = 0;
	unsigned int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		struct fiber *f = fiber_deque_steal(&deque);

		if (!f)
			continue;
		EXPECT((uintptr_t)f > last);
		last = take(f);
	}
}

static void owner_and_thieves(void)
{
	reset_taken();
	at_store(&deque.top, 0, RELAXED);
	at_store(&deque.bottom, 0, RELAXED);
	explore_add("owner", deque_owner, NULL);
	explore_add("thief", deque_thief, NULL);
	explore_add("other", deque_thief, NULL);
	explore_run();
	check_taken();
	EXPECT_EQ(fiber_deque_len(&deque), 0);
}

static void deque_with_two_thieves(void)
{
	EXPLORE(owner_and_thieves, 10000);
}

static void put_and_take(unsigned int first, unsigned int n)
{
	struct fiber *f;
	unsigned int i;

	for (i = 0; i < n; i++)
		EXPECT(fiber_deque_push(&deque, item(first + i)));
	while (n--) {
		f = fiber_deque_pop(&deque);
		if (f)
			take(f);
	}
}

/* Never more than two: owner and thieves always want the same ones. */
static void last_items_owner(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 1; i + 1 <= ITEMS; i += 2)
		put_and_take(i, 2);
}

static void last_items(void)
{
	reset_taken();
	at_store(&deque.top, 0, RELAXED);
	at_store(&deque.bottom, 0, RELAXED);
	explore_add("owner", last_items_owner, NULL);
	explore_add("thief", deque_thief, NULL);
	explore_add("other", deque_thief, NULL);
	explore_run();
	check_taken();
}

static void deque_with_few_items(void)
{
	EXPLORE(last_items, 10000);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(ring_with_two_thieves),
		TEST(ring_that_wraps_around),
		TEST(deque_with_two_thieves),
		TEST(deque_with_few_items),
	};

	return EXPLORE_RUN(argc, argv, tests);
}
