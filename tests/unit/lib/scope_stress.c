// SPDX-License-Identifier: MIT
/*
 * Trees of scopes at random: children that end, fail, open scopes of their own,
 * add to those above, mask, exchange elements, have deadlines, and cancel; while
 * others cancel from outside. When a scope is left, what was started in it has
 * ended; and what was started has ended once, in the end.
 */
#include <pthread.h>
#include <stdlib.h>

#include "harsh.h"
#include "scopes.h"

#define DEPTH 3
#define ROOTS 6

static int64_t until;
static struct fiber_chan *chan;
static atomic_ulong started;
static atomic_ulong over;
static atomic_ulong refused;
static atomic_ulong cancelled;
static atomic_ulong timed_out;

/* A scope, and what is known of it. */
struct branch {
	struct fiber_scope *scope;
	struct branch *above;
	atomic_int live;
	int depth;
	uint64_t seed;
	atomic_uint number; /* of the next child */
};

static int grow(void *arg);

/* The child counts from here on, whether it comes to run or not. */
static void start_child(struct branch *b)
{
	int err;

	atomic_fetch_add(&b->live, 1);
	err = fiber_scope_go(b->scope, grow, b);
	if (!err) {
		atomic_fetch_add(&started, 1);
		return;
	}
	CHECK_EQ(err, -ECANCELED);
	atomic_fetch_sub(&b->live, 1);
	atomic_fetch_add(&refused, 1);
}

static void check_result(int err)
{
	CHECK(err == 0 || err == -ECANCELED || err == -ETIMEDOUT ||
	      err == -EIO || err == 1);
	if (err == -ECANCELED)
		atomic_fetch_add(&cancelled, 1);
	if (err == -ETIMEDOUT)
		atomic_fetch_add(&timed_out, 1);
}

/* A scope from its beginning to its end, of any kind. */
static int branch_out(struct branch *above, uint64_t *state)
{
	struct branch b = {
		.above = above,
		.depth = above ? above->depth + 1 : 0,
		.seed = *state,
	};
	int64_t deadline = 0;
	int err = 0;

	if (harsh_draw(state, 3) == 0)
		deadline = fiber_after(harsh_draw(state, 200) * USEC);
	b.scope =
		new_scope(harsh_draw(state, FIBER_SCOPE_IGNORE + 1), deadline);
	for (uint32_t i = harsh_draw(state, 8); i > 0; i--)
		start_child(&b);
	if (harsh_draw(state, 8) == 0)
		CHECK_EQ(fiber_scope_cancel(b.scope, 3), 0);
	if (harsh_draw(state, 4) == 0) {
		err = fiber_scope_wait_until(b.scope, fiber_after(50 * USEC));
		check_result(err);
	}
	if (harsh_draw(state, 4)) {
		err = fiber_scope_wait(b.scope);
		check_result(err);
		/* Others may add still, but not to one that is cancelled. */
		if (err < 0 && err != -EIO)
			CHECK_EQ(fiber_scope_wait(b.scope), err);
	}
	fiber_scope_free(b.scope);
	CHECK_EQ(atomic_load(&b.live), 0);
	return err;
}

static int do_something(struct branch *b, uint64_t *state)
{
	int64_t before = FIBER_FOREVER;
	int value = 1;
	int err = 0;

	switch (harsh_draw(state, 10)) {
	case 0:
		return -EIO;
	case 1:
		return 1;
	case 2:
		if (fiber_now() < until)
			start_child(b->above && harsh_draw(state, 2) ?
					    b->above :
					    b);
		break;
	case 3:
		CHECK_EQ(fiber_cancel_mask(1), 0);
		CHECK_EQ(fiber_sleep(harsh_draw(state, 50) * USEC), 0);
		CHECK_EQ(fiber_cancel_mask(0), 1);
		break;
	case 4:
		CHECK_EQ(fiber_scope_cancel(b->scope, 4), 0);
		break;
	case 5:
	case 6:
		if (b->depth < DEPTH)
			err = branch_out(b, state);
		break;
	default:
		before = fiber_deadline_push(
			fiber_after(harsh_draw(state, 100) * USEC));
		err = harsh_draw(state, 2) ? fiber_send(chan, &value) :
					     fiber_recv(chan, &value);
		CHECK(!err || err == -ETIMEDOUT || err == -ECANCELED);
		fiber_deadline_pop(before);
	}
	return err == -ECANCELED ? err : 0;
}

static int grow(void *arg)
{
	struct branch *b = arg;
	uint64_t state = b->seed + atomic_fetch_add(&b->number, 1) + 1;
	int err = 0;

	for (uint32_t i = harsh_draw(&state, 4); i > 0 && !err; i--)
		err = do_something(b, &state);
	atomic_fetch_add(&over, 1);
	atomic_fetch_sub(&b->live, 1);
	return err;
}

struct root {
	struct harsh_actor *actor;
	uint64_t state;
};

static int grow_trees(void *arg)
{
	struct root *root = arg;

	while (fiber_now() < until && !fiber_cancelled()) {
		branch_out(NULL, &root->state);
		harsh_step(root->actor, "a tree");
	}
	return 0;
}

static struct fiber_chan *thread_is_done;

static void *grow_in_thread(void *arg)
{
	grow_trees(arg);
	send_int(thread_is_done, 0);
	return NULL;
}

/* One tree after the other, in fibers that are cancelled in the middle of it. */
static int grow_and_cancel(void *arg)
{
	struct root *root = arg;

	while (fiber_now() < until) {
		struct root inner = { root->actor, root->state };
		struct fiber *fiber = spawn(grow_trees, &inner);
		int err;

		CHECK_EQ(fiber_sleep(harsh_draw(&root->state, 300) * USEC), 0);
		err = fiber_cancel(fiber, 9);
		CHECK(err == 0 || err == -ESRCH);
		CHECK_EQ(join(fiber), 0);
	}
	return 0;
}

static uint64_t seed;

static void grow_all(void)
{
	struct root roots[ROOTS];
	struct fiber *fibers[ROOTS - 1];
	pthread_t thread;

	chan = new_chan(sizeof(int), 1);
	thread_is_done = new_chan(sizeof(int), 1);
	until = fiber_after(harsh_time(300 * MSEC, 5));
	harsh_watch();
	for (int i = 0; i < ROOTS; i++)
		roots[i] = (struct root){ harsh_actor("root"), seed + 99 * i };
	for (int i = 0; i < ROOTS - 1; i++)
		fibers[i] = spawn(i ? grow_trees : grow_and_cancel, &roots[i]);
	CHECK_EQ(pthread_create(&thread, NULL, grow_in_thread,
				&roots[ROOTS - 1]),
		 0);
	for (int i = 0; i < ROOTS - 1; i++)
		CHECK_EQ(join(fibers[i]), 0);
	/* Its scopes need the worker until then. */
	CHECK_EQ(recv_int(thread_is_done), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	harsh_unwatch();
	CHECK_EQ(atomic_load(&started), atomic_load(&over));
	fiber_chan_put(chan);
	fiber_chan_put(thread_is_done);
}

static void trees(void)
{
	seed = harsh_seed();
	run_shapes(0, grow_all);
	test_note("%lu started, %lu refused; of scopes %lu were cancelled, "
		  "%lu timed out",
		  atomic_load(&started), atomic_load(&refused),
		  atomic_load(&cancelled), atomic_load(&timed_out));
	CHECK(atomic_load(&started) > 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(trees),
	};

	return RUN(argc, argv, tests);
}
