// SPDX-License-Identifier: MIT
/*
 * Deadlines, partners and cancellation at the same time: whatever ends a call, an
 * element that was sent is received once, and one that was not is not.
 */
#include <errno.h>
#include <stdlib.h>

#include "harsh.h"

#define PAIRS 8

static uint64_t seed;
static int64_t until;
static atomic_long sent;
static atomic_long received;
static atomic_long late;

struct actor {
	struct fiber_chan *chan;
	uint64_t state;
};

/* So short that it comes at any point of the call. */
static int64_t push_some(uint64_t *state)
{
	int64_t before;

	before = fiber_deadline_push(fiber_after(harsh_draw(state, 20) * USEC));
	CHECK_EQ(before, FIBER_FOREVER);
	if (harsh_draw(state, 4) == 0)
		fiber_deadline_push(fiber_after(harsh_draw(state, 10) * USEC));
	return before;
}

static void note(int err, atomic_long *done)
{
	CHECK(!err || err == -ETIMEDOUT);
	atomic_fetch_add(err ? &late : done, 1);
}

static int send_some(void *arg)
{
	struct actor *a = arg;

	while (fiber_now() < until) {
		int64_t before = push_some(&a->state);
		int value = 1;

		note(fiber_send(a->chan, &value), &sent);
		if (harsh_draw(&a->state, 4) == 0) {
			CHECK_EQ(fiber_cancel_mask(1), 0);
			CHECK_EQ(fiber_send(a->chan, &value), 0);
			atomic_fetch_add(&sent, 1);
			CHECK_EQ(fiber_cancel_mask(0), 1);
		}
		fiber_deadline_pop(before);
	}
	return 0;
}

static int receive_some(void *arg)
{
	struct actor *a = arg;
	int err = 0;

	while (err != -EPIPE) {
		int64_t before = push_some(&a->state);
		int value = 0;

		err = fiber_recv(a->chan, &value);
		if (err == -EPIPE)
			CHECK_EQ(value, 0);
		else
			note(err, &received);
		CHECK_EQ(value, !err);
		fiber_deadline_pop(before);
	}
	return 0;
}

static void race_on(size_t capacity)
{
	struct actor senders[PAIRS];
	struct actor receivers[PAIRS];
	struct fiber *fibers[2 * PAIRS];
	struct fiber_chan *c = new_chan(sizeof(int), capacity);

	until = fiber_after(harsh_time(100 * MSEC, 10));
	for (int i = 0; i < PAIRS; i++) {
		senders[i] = (struct actor){ c, seed + i };
		receivers[i] = (struct actor){ c, seed + PAIRS + i };
		fibers[i] = spawn(send_some, &senders[i]);
		fibers[PAIRS + i] = spawn(receive_some, &receivers[i]);
	}
	for (int i = 0; i < PAIRS; i++)
		CHECK_EQ(join(fibers[i]), 0);
	CHECK_EQ(fiber_chan_close(c), 0);
	for (int i = PAIRS; i < 2 * PAIRS; i++)
		CHECK_EQ(join(fibers[i]), 0);
	fiber_chan_put(c);
	CHECK_EQ(atomic_load(&sent), atomic_load(&received));
}

static void race(void)
{
	race_on(0);
	race_on(2);
}

static void against_partners(void)
{
	seed = harsh_seed();
	run_shapes(0, race);
	test_note("%ld received, %ld late", atomic_load(&received),
		  atomic_load(&late));
	CHECK(atomic_load(&received) > 0 && atomic_load(&late) > 0);
}

static int wait_for_either(void *chan)
{
	int err;

	fiber_deadline_push(fiber_after(10 * USEC));
	do {
		err = fiber_recv(chan, NULL);
	} while (err == -ETIMEDOUT);
	CHECK_EQ(err, -ECANCELED);
	CHECK_EQ(fiber_recv(chan, NULL), -ECANCELED);
	fiber_deadline_pop(FIBER_FOREVER);
	CHECK_EQ(fiber_recv(chan, NULL), -ECANCELED);
	CHECK_EQ(fiber_cancel_mask(1), 0);
	CHECK_EQ(fiber_sleep(1), 0);
	return 0;
}

static void cancel_some(void)
{
	struct fiber_chan *c = new_chan(0, 0);
	uint64_t state = seed;

	for (int i = 0; i < ROUNDS(1000); i++) {
		struct fiber *fiber = spawn(wait_for_either, c);

		CHECK_EQ(fiber_sleep(harsh_draw(&state, 20) * USEC), 0);
		CHECK_EQ(fiber_cancel(fiber, 1), 0);
		CHECK_EQ(join(fiber), 0);
	}
	check_idle(c);
	fiber_chan_put(c);
}

static void against_cancellation(void)
{
	seed = harsh_seed();
	run_shapes(0, cancel_some);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(against_partners),
		TEST(against_cancellation),
	};

	return RUN(argc, argv, tests);
}
