// SPDX-License-Identifier: MIT
/*
 * Whatever callers of one channel saw, it could have been so one after the other.
 *
 * A few clients, fibers and threads, make a few calls each, at random. What each
 * call returned is noted, with when it began and ended in an order of all. Then
 * an order of the calls is searched for in which no call comes before one that
 * had ended when it began, and in which a channel that does one call at a time
 * (take_effect(), pair_up()) would have returned the same. The search is that of
 * Wing and Gong, with Lowe's memory of what has been tried.
 *
 * What cannot be told from outside is allowed: a call that waits may be taken
 * for one that has not begun to. So a call for which there is no partner or room
 * can always fail to find one in time, unless there was room.
 *
 * A rendezvous has no order: without a buffer, a send and a receive take effect
 * as one step, for which both must have begun and neither ended. Not if both are
 * calls that do not wait, as then nobody was there to be met.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harsh.h"

#define OPS_MAX 14
#define CLIENTS_MAX 4
#define CAP_MAX 3

enum what {
	SEND,
	RECV,
	EITHER, /* a select of both, that did neither */
	CLOSE,
	LEN,
};

enum how {
	TRY,
	UNTIL,
	WAIT,
};

struct op {
	int what;
	int how;
	int value; /* sent or received; the length */
	int err;
	int begin;
	int end;
};

struct history {
	int cap;
	int n;
	struct op ops[OPS_MAX];
};

/* The model. */

struct state {
	int closed;
	int len;
	int values[CAP_MAX];
};

/* Whether the call, taking effect now and alone, returns what it did. */
static bool take_effect(const struct op *op, int cap, struct state *s)
{
	bool may_send = !s->closed && s->len < cap;
	bool refused = op->err == -EAGAIN || op->err == -ETIMEDOUT;

	switch (op->what) {
	case SEND:
		if (op->err)
			return s->closed ? op->err == -EPIPE :
					   refused && !may_send;
		if (may_send)
			s->values[s->len++] = op->value;
		return may_send;
	case RECV:
		if (op->err)
			return !s->len &&
			       (s->closed ? op->err == -EPIPE : refused);
		if (!s->len || s->values[0] != op->value)
			return false;
		memmove(s->values, s->values + 1,
			--s->len * sizeof(s->values[0]));
		return true;
	case EITHER:
		return refused && !s->closed && !s->len && !may_send;
	case CLOSE:
		if (s->closed)
			return op->err == -EPIPE;
		s->closed = 1;
		return !op->err;
	default:
		return op->value == s->len;
	}
}

/* Whether the two are a rendezvous, now. */
static bool pair_up(const struct op *send, const struct op *recv, int cap,
		    const struct state *s)
{
	return !cap && !s->closed && send->what == SEND && recv->what == RECV &&
	       !send->err && !recv->err && send->value == recv->value &&
	       (send->how != TRY || recv->how != TRY);
}

/* The search. */

#define SEEN_MAX (1u << 15)

static uint64_t seen[SEEN_MAX]; /* 0 is a free place */
static uint32_t nr_seen;

/* A state, and which calls have had their effect, in one number. */
static uint64_t key_of(uint32_t done, const struct state *s)
{
	uint64_t key = 1;
	int i;

	key = key << OPS_MAX | done;
	key = key << 1 | s->closed;
	key = key << 2 | s->len;
	for (i = 0; i < CAP_MAX; i++)
		key = key << 5 | (i < s->len ? s->values[i] : 0);
	return key;
}

/* Whether this is the first time. */
static bool is_new(uint64_t key)
{
	uint32_t i = key * 0x9e3779b97f4a7c15 >> 49;

	while (seen[i % SEEN_MAX]) {
		if (seen[i++ % SEEN_MAX] == key)
			return false;
	}
	seen[i % SEEN_MAX] = key;
	CHECK(++nr_seen < SEEN_MAX / 2);
	return true;
}

/* Whether nobody else must come before. */
static bool may_be_next(const struct history *h, uint32_t done, int i)
{
	int j;

	if (done >> i & 1)
		return false;
	for (j = 0; j < h->n; j++) {
		if (!(done >> j & 1) && h->ops[j].end < h->ops[i].begin)
			return false;
	}
	return true;
}

static bool search(const struct history *h, uint32_t done,
		   const struct state *s)
{
	struct state after;
	int i;
	int j;

	if (done == (1u << h->n) - 1)
		return true;
	if (!is_new(key_of(done, s)))
		return false;
	for (i = 0; i < h->n; i++) {
		if (!may_be_next(h, done, i))
			continue;
		after = *s;
		if (take_effect(&h->ops[i], h->cap, &after) &&
		    search(h, done | 1u << i, &after))
			return true;
		for (j = 0; j < h->n; j++) {
			if (may_be_next(h, done, j) &&
			    pair_up(&h->ops[i], &h->ops[j], h->cap, s) &&
			    search(h, done | 1u << i | 1u << j, s))
				return true;
		}
	}
	return false;
}

static bool is_linear(const struct history *h)
{
	static const struct state empty;

	memset(seen, 0, sizeof(seen));
	nr_seen = 0;
	return search(h, 0, &empty);
}

static void show(const struct history *h)
{
	static const char *const whats[] = { "send", "recv", "either", "close",
					     "len" };
	static const char *const hows[] = { "try", "until", "wait" };
	int i;

	test_note("capacity %d: what, how, value, error, begin, end", h->cap);
	for (i = 0; i < h->n; i++) {
		const struct op *op = &h->ops[i];

		test_note("{ %s, %s, %d, %d, %d, %d },", whats[op->what],
			  hows[op->how], op->value, op->err, op->begin,
			  op->end);
	}
}

/* Making histories. */

struct client {
	pthread_t thread;
	struct fiber *fiber;
	struct fiber_chan *go; /* one element a round */
	uint64_t random;
	int n; /* of its calls of the round */
	struct op ops[OPS_MAX];
};

static struct client clients[CLIENTS_MAX];
static int nr_clients;
static int nr_threads; /* the first of them are */
static struct fiber_chan *chan; /* of the round */
static struct fiber_chan *ended; /* one element a client and round */
static atomic_int order;
static atomic_int next_value;

static int select_both(int *in, int *out, int how, int64_t deadline, int *err)
{
	struct fiber_case cases[] = {
		{ .chan = chan, .op = FIBER_SEND, .elem = out },
		{ .chan = chan, .op = FIBER_RECV, .elem = in },
	};
	int i = how == TRY   ? fiber_try_select(cases, 2, 0) :
		how == UNTIL ? fiber_select_until(cases, 2, 0, deadline) :
			       fiber_select(cases, 2, 0);

	*err = i < 0 ? i : cases[i].result;
	return i < 0 ? EITHER : i == 0 ? SEND : RECV;
}

static void do_send(struct op *op, int out, int64_t deadline)
{
	op->err = op->how == TRY   ? fiber_try_send(chan, &out) :
		  op->how == UNTIL ? fiber_send_until(chan, &out, deadline) :
				     fiber_send(chan, &out);
	op->value = out;
}

static void do_recv(struct op *op, int64_t deadline)
{
	op->err = op->how == TRY ?
			  fiber_try_recv(chan, &op->value) :
		  op->how == UNTIL ?
			  fiber_recv_until(chan, &op->value, deadline) :
			  fiber_recv(chan, &op->value);
}

static void do_op(struct op *op, int out, int64_t deadline)
{
	int in = 0;

	op->begin = atomic_fetch_add(&order, 1);
	switch (op->what) {
	case SEND:
		do_send(op, out, deadline);
		break;
	case RECV:
		do_recv(op, deadline);
		break;
	case EITHER:
		op->what = select_both(&in, &out, op->how, deadline, &op->err);
		op->value = op->what == RECV ? in : out;
		break;
	case CLOSE:
		op->err = fiber_chan_close(chan);
		break;
	default:
		op->value = fiber_chan_len(chan);
	}
	op->end = atomic_fetch_add(&order, 1);
}

/* Most of them wait, for a while; some for as long as it takes. */
static void draw_op(struct client *c, struct op *op)
{
	static const int whats[] = { SEND, SEND, SEND, SEND,   RECV,  RECV,
				     RECV, RECV, LEN,  EITHER, EITHER };
	static const int hows[] = { TRY, UNTIL, UNTIL, WAIT };

	*op = (struct op){
		.what = whats[harsh_draw(&c->random, ARRAY_SIZE(whats))],
		.how = hows[harsh_draw(&c->random, ARRAY_SIZE(hows))],
	};
	if (harsh_draw(&c->random, 16) == 0)
		op->what = CLOSE;
}

static void play_round(struct client *c)
{
	int i;

	for (i = 0; i < c->n; i++) {
		struct op *op = &c->ops[i];
		int64_t ns = harsh_draw(&c->random, 4) ? 20 * USEC : 200 * USEC;

		draw_op(c, op);
		if (harsh_draw(&c->random, 4) == 0)
			fiber_yield();
		/* Deadlines that have passed are some of them. */
		do_op(op, atomic_fetch_add(&next_value, 1),
		      fiber_after(harsh_draw(&c->random, ns)));
	}
}

static int be_client(void *arg)
{
	struct client *c = arg;

	while (!fiber_recv(c->go, NULL)) {
		play_round(c);
		CHECK_EQ(fiber_send(ended, NULL), 0);
	}
	return 0;
}

static void *be_client_thread(void *arg)
{
	be_client(arg);
	return NULL;
}

static void start_clients(uint64_t *random)
{
	int i;

	ended = new_chan(0, CLIENTS_MAX);
	for (i = 0; i < nr_clients; i++) {
		struct client *c = &clients[i];

		harsh_draw(random, 1);
		*c = (struct client){ .go = new_chan(0, 1), .random = *random };
		if (i >= nr_threads)
			c->fiber = spawn(be_client, c);
		else
			CHECK_EQ(pthread_create(&c->thread, NULL,
						be_client_thread, c),
				 0);
	}
}

static void end_clients(void)
{
	int i;

	for (i = 0; i < nr_clients; i++) {
		struct client *c = &clients[i];

		CHECK_EQ(fiber_chan_close(c->go), 0);
		if (i >= nr_threads)
			CHECK_EQ(join(c->fiber), 0);
		else
			CHECK_EQ(pthread_join(c->thread, NULL), 0);
		fiber_chan_put(c->go);
	}
	fiber_chan_put(ended);
}

/* Those who wait for ever are let go by one more call of the history. */
static void await_clients(struct history *h)
{
	int left = nr_clients;

	while (left && !fiber_recv_until(ended, NULL, fiber_after(MSEC)))
		left--;
	if (!left)
		return;
	h->ops[h->n] = (struct op){ .what = CLOSE, .how = WAIT };
	do_op(&h->ops[h->n++], 0, 0);
	while (left--)
		CHECK_EQ(fiber_recv(ended, NULL), 0);
}

static void make_history(struct history *h, uint64_t *random)
{
	int i;

	h->cap = harsh_draw(random, CAP_MAX + 1);
	h->n = 0;
	chan = new_chan(sizeof(int), h->cap);
	atomic_store(&order, 0);
	/* 0 is nothing, in key_of() and where a receive failed. */
	atomic_store(&next_value, 1);
	for (i = 0; i < nr_clients; i++) {
		clients[i].n = 1 + harsh_draw(random, 12 / nr_clients);
		CHECK_EQ(fiber_send(clients[i].go, NULL), 0);
	}
	await_clients(h);
	for (i = 0; i < nr_clients; i++) {
		memcpy(h->ops + h->n, clients[i].ops,
		       clients[i].n * sizeof(struct op));
		h->n += clients[i].n;
	}
	fiber_chan_put(chan);
}

static uint64_t seed;
static int64_t time_ns;
static int nr_histories;

static void make_histories(void)
{
	int64_t end = test_now() + time_ns;
	struct harsh_actor *actor = harsh_actor("histories");
	uint64_t random = seed;
	struct history h;

	start_clients(&random);
	do {
		harsh_step(actor, "make one");
		make_history(&h, &random);
		nr_histories++;
		if (!is_linear(&h)) {
			show(&h);
			test_fail(__FILE__, __LINE__,
				  "history %d has no such order", nr_histories);
		}
	} while (test_now() < end);
	end_clients();
}

/* With 2 to 4 clients, some of them threads or none. */
static void check_histories(unsigned int workers, unsigned int flags,
			    bool threads)
{
	harsh_watch();
	time_ns = harsh_time(SEC / 8, 24);
	for (nr_clients = 2; nr_clients <= CLIENTS_MAX; nr_clients++) {
		nr_threads = threads ? nr_clients / 2 : 0;
		run_with(workers, flags, make_histories);
	}
	harsh_unwatch();
}

static void check_workers(unsigned int workers, unsigned int flags)
{
	seed = harsh_seed();
	nr_histories = 0;
	check_histories(workers, flags, false);
	check_histories(workers, flags, true);
	test_note("%d histories", nr_histories);
}

static void one_worker(void)
{
	check_workers(1, 0);
}

static void two_workers(void)
{
	check_workers(2, 0);
}

static void four_workers(void)
{
	check_workers(4, 0);
}

static void always_moving(void)
{
	check_workers(2, FIBER_TEST_MIGRATE);
}

/* The search, too, is looked at: what it must and must not find an order for. */

static const struct known {
	const char *name;
	bool is_linear;
	struct history h;
} known[] = {
	{ "one after the other",
	  true,
	  { 1, 2, { { SEND, WAIT, 7, 0, 0, 1 }, { RECV, WAIT, 7, 0, 2, 3 } } } },
	{ "received before it is sent",
	  false,
	  { 1, 2, { { SEND, WAIT, 7, 0, 2, 3 }, { RECV, WAIT, 7, 0, 0, 1 } } } },
	{ "received twice",
	  false,
	  { 1,
	    3,
	    { { SEND, WAIT, 7, 0, 0, 1 },
	      { RECV, WAIT, 7, 0, 2, 5 },
	      { RECV, WAIT, 7, 0, 3, 4 } } } },
	{ "lost",
	  false,
	  { 1,
	    2,
	    { { SEND, WAIT, 7, 0, 0, 1 }, { RECV, TRY, 0, -EAGAIN, 2, 3 } } } },
	{ "in another order",
	  false,
	  { 2,
	    4,
	    { { SEND, WAIT, 7, 0, 0, 1 },
	      { SEND, WAIT, 8, 0, 2, 3 },
	      { RECV, WAIT, 8, 0, 4, 5 },
	      { RECV, WAIT, 7, 0, 6, 7 } } } },
	{ "in either order, as both were sent at once",
	  true,
	  { 2,
	    4,
	    { { SEND, WAIT, 7, 0, 0, 2 },
	      { SEND, WAIT, 8, 0, 1, 3 },
	      { RECV, WAIT, 8, 0, 4, 5 },
	      { RECV, WAIT, 7, 0, 6, 7 } } } },
	{ "more than there is room for",
	  false,
	  { 1, 2, { { SEND, WAIT, 7, 0, 0, 1 }, { SEND, WAIT, 8, 0, 2, 3 } } } },
	{ "no room, while there is",
	  false,
	  { 2,
	    2,
	    { { SEND, WAIT, 7, 0, 0, 1 },
	      { SEND, UNTIL, 8, -ETIMEDOUT, 2, 3 } } } },
	{ "a rendezvous",
	  true,
	  { 0, 2, { { SEND, WAIT, 7, 0, 0, 2 }, { RECV, TRY, 7, 0, 1, 3 } } } },
	{ "a rendezvous of who has gone",
	  false,
	  { 0, 2, { { SEND, WAIT, 7, 0, 0, 1 }, { RECV, WAIT, 7, 0, 2, 3 } } } },
	{ "a rendezvous of two that do not wait",
	  false,
	  { 0, 2, { { SEND, TRY, 7, 0, 0, 2 }, { RECV, TRY, 7, 0, 1, 3 } } } },
	{ "two receivers for one sender",
	  false,
	  { 0,
	    3,
	    { { SEND, WAIT, 7, 0, 0, 3 },
	      { RECV, WAIT, 7, 0, 1, 4 },
	      { RECV, WAIT, 7, 0, 2, 5 } } } },
	{ "what is there when it is closed",
	  true,
	  { 1,
	    5,
	    { { SEND, WAIT, 7, 0, 0, 1 },
	      { CLOSE, WAIT, 0, 0, 2, 3 },
	      { LEN, WAIT, 1, 0, 4, 5 },
	      { RECV, WAIT, 7, 0, 6, 7 },
	      { RECV, WAIT, 0, -EPIPE, 8, 9 } } } },
	{ "sent to who had closed",
	  false,
	  { 1, 2, { { CLOSE, WAIT, 0, 0, 0, 1 }, { SEND, TRY, 7, 0, 2, 3 } } } },
	{ "closed twice",
	  false,
	  { 1,
	    2,
	    { { CLOSE, WAIT, 0, 0, 0, 2 }, { CLOSE, WAIT, 0, 0, 1, 3 } } } },
	{ "closed before it is",
	  false,
	  { 1,
	    2,
	    { { RECV, TRY, 0, -EPIPE, 0, 1 }, { CLOSE, WAIT, 0, 0, 2, 3 } } } },
	{ "a length that was not",
	  false,
	  { 3, 2, { { SEND, WAIT, 7, 0, 0, 1 }, { LEN, WAIT, 2, 0, 2, 3 } } } },
	{ "neither room nor an element",
	  false,
	  { 1, 1, { { EITHER, TRY, 0, -EAGAIN, 0, 1 } } } },
};

static void finds_what_is_wrong(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (is_linear(&known[i].h) == known[i].is_linear)
			continue;
		show(&known[i].h);
		test_fail(__FILE__, __LINE__, "%s", known[i].name);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(finds_what_is_wrong), TEST(one_worker),
		TEST(two_workers),	   TEST(four_workers),
		TEST(always_moving),
	};

	return RUN(argc, argv, tests);
}
