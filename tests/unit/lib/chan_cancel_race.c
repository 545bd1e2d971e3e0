// SPDX-License-Identifier: MIT
/*
 * However a cancellation falls, the element is either handed over, and both say
 * so, or it stays where it was, and both say that.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

#define GROUPS 4

/* Each has channels of its own; several run at once. */
struct group {
	struct fiber_chan *chan;
	struct fiber_chan *other;
	struct fiber *victim;
	unsigned int seed;
};

static size_t capacity;

static void dawdle(struct group *group)
{
	for (int i = rand_r(&group->seed) % 4; i > 1; i--)
		fiber_yield();
}

static int cancel(void *arg)
{
	struct group *group = arg;
	int err = fiber_cancel(group->victim, 1);

	CHECK(err == 0 || err == -ESRCH);
	return 0;
}

static int send_42(void *arg)
{
	struct group *group = arg;

	send_int(group->chan, 42);
	return 0;
}

static int receive(void *arg)
{
	struct group *group = arg;

	return recv_int(group->chan);
}

static int victim_receives(void *arg)
{
	struct group *group = arg;
	int value = -1;
	int err = fiber_recv(group->chan, &value);

	CHECK(err == 0 ? value == 42 : value == -1);
	return err;
}

static int victim_sends(void *arg)
{
	struct group *group = arg;
	int value = 42;

	return fiber_send(group->chan, &value);
}

static int victim_selects(void *arg)
{
	struct group *group = arg;
	int value = -1, out = 7;
	struct fiber_case cases[] = {
		{ .chan = group->other, .elem = &out, .op = FIBER_SEND },
		{ .chan = group->chan, .elem = &value, .op = FIBER_RECV },
		{ .chan = group->other, .elem = &value, .op = FIBER_RECV },
		{ .chan = group->chan, .elem = &value, .op = FIBER_RECV },
	};
	int at = fiber_select(cases, 4, FIBER_SELECT_ORDERED);

	CHECK(at < 0 ? value == -1 : at % 2 == 1 && value == 42);
	return at < 0 ? at : 0;
}

static int victim_receives_in_time(void *arg)
{
	struct group *group = arg;
	int value = -1;
	int64_t soon = fiber_after(rand_r(&group->seed) % (20 * USEC));
	int err = fiber_recv_until(group->chan, &value, soon);

	CHECK(err == 0 ? value == 42 : value == -1);
	return err;
}

/* In one of the orders there are. */
static void start(struct group *group, int (*victim)(void *),
		  int (*partner)(void *), struct fiber **fibers)
{
	bool partner_first = rand_r(&group->seed) % 2;

	if (partner_first)
		fibers[0] = spawn(partner, group);
	group->victim = spawn(victim, group);
	dawdle(group);
	fibers[1] = spawn(cancel, group);
	dawdle(group);
	if (!partner_first)
		fibers[0] = spawn(partner, group);
}

static void check_result(int result)
{
	CHECK(result == 0 || result == -ECANCELED || result == -ETIMEDOUT);
}

static void to_victim(struct group *group, int (*victim)(void *))
{
	struct fiber *fibers[2];
	int result;

	start(group, victim, send_42, fibers);
	CHECK_EQ(join(fibers[1]), 0);
	result = join(group->victim);
	check_result(result);
	/* If it did not take it, it is there for others. */
	if (result)
		CHECK_EQ(recv_int(group->chan), 42);
	CHECK_EQ(join(fibers[0]), 0);
	check_idle(group->chan);
}

static void from_victim(struct group *group)
{
	struct fiber *fibers[2];
	int result;

	start(group, victim_sends, receive, fibers);
	CHECK_EQ(join(fibers[1]), 0);
	result = join(group->victim);
	check_result(result);
	if (result)
		send_int(group->chan, 43);
	CHECK_EQ(join(fibers[0]), result ? 43 : 42);
	check_idle(group->chan);
}

static int (*victim_fn)(void *);

static int run_group(void *arg)
{
	struct group *group = arg;

	group->chan = new_chan(sizeof(int), capacity);
	group->other = new_chan(sizeof(int), 0);
	for (int i = 0; i < ROUNDS(500); i++) {
		if (victim_fn == victim_sends)
			from_victim(group);
		else
			to_victim(group, victim_fn);
	}
	check_idle(group->other);
	fiber_chan_put(group->chan);
	fiber_chan_put(group->other);
	return 0;
}

static void run_groups(void)
{
	struct group groups[GROUPS] = { { 0 } };

	for (int i = 0; i < GROUPS; i++)
		groups[i].seed = i + 1;
	run_all(GROUPS, run_group, groups, sizeof(groups[0]));
}

static void with_victim(int (*fn)(void *))
{
	victim_fn = fn;
	for (capacity = 0; capacity <= 1; capacity++)
		run_shapes(0, run_groups);
}

static void one_who_receives(void)
{
	with_victim(victim_receives);
}

static void one_who_sends(void)
{
	with_victim(victim_sends);
}

static void one_who_selects(void)
{
	with_victim(victim_selects);
}

static void one_who_has_a_deadline(void)
{
	with_victim(victim_receives_in_time);
}

/*
 * Many send and receive, and are cancelled one after the other. Everything that
 * was sent is received, by somebody or in the end.
 */
#define PAIRS (TEST_SLOWER > 1 ? 10 : 50)

struct worker {
	int n;
	long sum;
	bool sends;
};

static struct fiber_chan *shared;

static int work(void *arg)
{
	struct worker *worker = arg;
	int value = 0;

	for (;;) {
		int err;

		if (worker->sends)
			value++;
		err = worker->sends ? fiber_send(shared, &value) :
				      fiber_recv(shared, &value);
		if (err) {
			CHECK_EQ(err, -ECANCELED);
			return 0;
		}
		worker->n++;
		worker->sum += value;
	}
}

static void one_after_the_other(void)
{
	struct worker workers[2 * PAIRS] = { { 0 } };
	struct fiber *fibers[2 * PAIRS];
	int value, n = 0;
	long sum = 0;

	shared = new_chan(sizeof(int), capacity);
	for (int i = 0; i < 2 * PAIRS; i++) {
		workers[i].sends = i % 2;
		fibers[i] = spawn(work, &workers[i]);
	}
	for (int i = 0; i < 2 * PAIRS; i++) {
		/* Both kinds, and not in the order in which they started. */
		struct fiber *fiber = fibers[i * 37 % (2 * PAIRS)];

		for (int k = 0; k < 5; k++)
			fiber_yield();
		CHECK_EQ(fiber_cancel(fiber, 1), 0);
	}
	for (int i = 0; i < 2 * PAIRS; i++) {
		CHECK_EQ(join(fibers[i]), 0);
		n += workers[i].sends ? workers[i].n : -workers[i].n;
		sum += workers[i].sends ? workers[i].sum : -workers[i].sum;
	}
	while (fiber_try_recv(shared, &value) == 0) {
		n--;
		sum -= value;
	}
	CHECK_EQ(n, 0);
	CHECK_EQ(sum, 0);
	check_idle(shared);
	fiber_chan_put(shared);
}

static void many_one_after_the_other(void)
{
	static const size_t capacities[] = { 0, 1, 10 };

	for (size_t i = 0; i < ARRAY_SIZE(capacities); i++) {
		capacity = capacities[i];
		for (int k = 0; k < TEST_TIMES(5); k++)
			run_shapes(0, one_after_the_other);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(one_who_receives),		TEST(one_who_sends),
		TEST(one_who_selects),		TEST(one_who_has_a_deadline),
		TEST(many_one_after_the_other),
	};

	return RUN(argc, argv, tests);
}
