// SPDX-License-Identifier: MIT
/*
 * What the fibers of harsh_traffic() do.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "harsh.h"

#define HUBS 6
#define PLAYERS_MAX 32
#define CASES 6

/* How a call waits. */
enum how {
	TRY,
	UNTIL,
	WAIT,
};

struct message {
	uint32_t from;
	uint32_t seq;
	unsigned char rest[192];
};

/* A channel that all players use. */
struct hub {
	struct fiber_chan *chan;
	size_t size;
	atomic_ulong sent;
	atomic_ulong received;
	atomic_ulong sum_sent;
	atomic_ulong sum_received;
};

struct player {
	const struct role *role;
	struct harsh_actor *actor;
	uint64_t random;
	uint32_t number;
	uint32_t seq; /* of its latest message */
	/* The latest that it received from each. */
	uint32_t last[HUBS][PLAYERS_MAX];
};

struct role {
	const char *name;
	int n;
	bool is_thread;
	enum how patience; /* the most */
	void (*turn)(struct player *);
};

static struct hub hubs[HUBS];
static struct player players[PLAYERS_MAX];
static int nr_players;
static atomic_bool stopping;

static enum how draw_how(struct player *me)
{
	return harsh_draw(&me->random, me->role->patience + 1);
}

static void check_error(int err, enum how how)
{
	if (err == -EPIPE)
		CHECK(atomic_load(&stopping));
	else if (how == TRY)
		CHECK_EQ(err, -EAGAIN);
	else if (how == UNTIL)
		CHECK_EQ(err, -ETIMEDOUT);
	else
		CHECK_EQ(err, 0);
}

static void write_message(struct player *me, struct message *m)
{
	m->from = me->number;
	m->seq = ++me->seq;
	memset(m->rest, m->seq, sizeof(m->rest));
}

static void has_sent(struct hub *hub, const struct message *m)
{
	atomic_fetch_add(&hub->sent, 1);
	atomic_fetch_add(&hub->sum_sent, m->seq);
}

static void has_received(struct hub *hub, const struct message *m)
{
	size_t i;

	for (i = 0; i < hub->size - offsetof(struct message, rest); i++)
		CHECK_EQ(m->rest[i], (unsigned char)m->seq);
	atomic_fetch_add(&hub->received, 1);
	atomic_fetch_add(&hub->sum_received, m->seq);
}

static void has_received_in_order(struct player *me, struct hub *hub,
				  const struct message *m)
{
	has_received(hub, m);
	CHECK(m->from < PLAYERS_MAX);
	/* Those that it failed to send are missing. */
	CHECK(m->seq > me->last[hub - hubs][m->from]);
	me->last[hub - hubs][m->from] = m->seq;
}

static void send_one(struct player *me, struct hub *hub)
{
	enum how how = draw_how(me);
	int64_t deadline = fiber_after(harsh_draw(&me->random, MSEC));
	struct message m;
	int err;

	write_message(me, &m);
	harsh_step(me->actor, how == WAIT ? "send" : "send for a while");
	if (how == TRY)
		err = fiber_try_send(hub->chan, &m);
	else if (how == UNTIL)
		err = fiber_send_until(hub->chan, &m, deadline);
	else
		err = fiber_send(hub->chan, &m);
	if (err)
		check_error(err, how);
	else
		has_sent(hub, &m);
}

static void receive_one(struct player *me, struct hub *hub)
{
	enum how how = draw_how(me);
	int64_t deadline = fiber_after(harsh_draw(&me->random, MSEC));
	struct message m;
	int err;

	harsh_step(me->actor, how == WAIT ? "receive" : "receive for a while");
	if (how == TRY)
		err = fiber_try_recv(hub->chan, &m);
	else if (how == UNTIL)
		err = fiber_recv_until(hub->chan, &m, deadline);
	else
		err = fiber_recv(hub->chan, &m);
	if (err)
		check_error(err, how);
	else
		has_received_in_order(me, hub, &m);
}

static void select_one(struct player *me)
{
	enum how how = draw_how(me);
	int n = 1 + harsh_draw(&me->random, CASES);
	unsigned int flags = harsh_draw(&me->random, FIBER_SELECT_ORDERED + 1);
	struct message m[CASES];
	struct fiber_case cases[CASES];
	struct hub *chosen[CASES];
	int i;

	for (i = 0; i < n; i++) {
		chosen[i] = &hubs[harsh_draw(&me->random, HUBS)];
		cases[i] = (struct fiber_case){
			.chan = chosen[i]->chan,
			.op = harsh_draw(&me->random, 2) ? FIBER_SEND :
							   FIBER_RECV,
			.elem = &m[i],
		};
		if (cases[i].op == FIBER_SEND)
			write_message(me, &m[i]);
	}
	harsh_step(me->actor, how == WAIT ? "select" : "select for a while");
	if (how == TRY)
		i = fiber_try_select(cases, n, flags);
	else if (how == UNTIL)
		i = fiber_select_until(cases, n, flags, fiber_after(MSEC));
	else
		i = fiber_select(cases, n, flags);
	if (i < 0 || cases[i].result)
		check_error(i < 0 ? i : cases[i].result, how);
	else if (cases[i].op == FIBER_SEND)
		has_sent(chosen[i], &m[i]);
	else
		has_received_in_order(me, chosen[i], &m[i]);
}

static void use_a_hub(struct player *me)
{
	struct hub *hub = &hubs[harsh_draw(&me->random, HUBS)];

	switch (harsh_draw(&me->random, 8)) {
	case 0:
		fiber_yield();
		break;
	case 1:
	case 2:
		select_one(me);
		break;
	case 3:
	case 4:
		send_one(me, hub);
		break;
	case 5:
		CHECK(fiber_chan_len(hub->chan) <= fiber_chan_cap(hub->chan));
		break;
	default:
		receive_one(me, hub);
	}
}

/* A channel for a few, to be closed. */
struct room {
	struct fiber_chan *chan;
	atomic_int sent;
	atomic_int received;
};

static int fill_room(void *arg)
{
	struct room *room = arg;
	int value = 1;
	int err;

	while (!(err = fiber_send(room->chan, &value)))
		atomic_fetch_add(&room->sent, 1);
	CHECK_EQ(err, -EPIPE);
	return 0;
}

static int empty_room(void *arg)
{
	struct room *room = arg;
	int value;
	int err;

	while (!(err = fiber_recv(room->chan, &value)))
		atomic_fetch_add(&room->received, value);
	return err;
}

static int pass_through_room(void *arg)
{
	struct room *room = arg;
	int in;
	int out = 1;
	struct fiber_case cases[] = {
		{ .chan = room->chan, .op = FIBER_SEND, .elem = &out },
		{ .chan = room->chan, .op = FIBER_RECV, .elem = &in },
	};
	int i;

	while ((i = fiber_select(cases, 2, 0)) >= 0 && !cases[i].result)
		atomic_fetch_add(i ? &room->received : &room->sent, 1);
	CHECK(i >= 0);
	return cases[i].result;
}

static void close_a_room(struct player *me)
{
	struct room room = {
		.chan = new_chan(sizeof(int), harsh_draw(&me->random, 4)),
	};
	struct fiber *fibers[6];
	int i;

	for (i = 0; i < 6; i++)
		fibers[i] = spawn(i == 0 ? pass_through_room :
				  i % 2	 ? fill_room :
					   empty_room,
				  &room);
	harsh_step(me->actor, "sleep before close");
	if (harsh_draw(&me->random, 2))
		CHECK_EQ(fiber_sleep(harsh_draw(&me->random, 200 * USEC)), 0);
	harsh_step(me->actor, "close, join");
	CHECK_EQ(fiber_chan_close(room.chan), 0);
	for (i = 0; i < 6; i++)
		CHECK_EQ(join(fibers[i]), i % 2 ? 0 : -EPIPE);
	CHECK_EQ(atomic_load(&room.sent), atomic_load(&room.received));
	fiber_chan_put(room.chan);
}

#define FAN 3
#define DEPTH 4
#define LEAVES 81

static int grow(void *arg)
{
	intptr_t depth = (intptr_t)arg;
	struct fiber *children[FAN];
	int sum = 0;
	int leaves;
	int i;

	if (depth == DEPTH) {
		fiber_yield();
		return 1;
	}
	for (i = 0; i < FAN; i++)
		children[i] = spawn(grow, (void *)(depth + 1));
	for (i = 0; i < FAN; i++) {
		if (fiber_join_until(children[i], &leaves,
				     fiber_after(20 * USEC)))
			leaves = join(children[i]);
		sum += leaves;
	}
	return sum;
}

static void grow_a_tree(struct player *me)
{
	harsh_step(me->actor, "tree");
	CHECK_EQ(grow(0), LEAVES);
}

static void cancel_one(struct player *me)
{
	struct room room = {
		.chan = new_chan(sizeof(int), harsh_draw(&me->random, 3)),
	};
	struct fiber *fiber = spawn(empty_room, &room);
	int value = 1;
	int sent = 0;
	int i;

	for (i = harsh_draw(&me->random, 5); i > 0; i--) {
		harsh_step(me->actor, "send to be cancelled");
		sent += !fiber_send_until(room.chan, &value,
					  fiber_after(50 * USEC));
	}
	harsh_step(me->actor, "cancel, join");
	CHECK_EQ(fiber_cancel(fiber, 3), 0);
	CHECK_EQ(join(fiber), -ECANCELED);
	sent -= fiber_chan_len(room.chan);
	CHECK_EQ(atomic_load(&room.received), sent);
	fiber_chan_put(room.chan);
}

#define TICK_NS (100 * USEC)

static void sleep_a_while(struct player *me)
{
	int64_t t = fiber_after(harsh_draw(&me->random, 500 * USEC));
	struct fiber_timer *timer;
	int64_t ticked;
	int i;

	harsh_step(me->actor, "sleep");
	CHECK_EQ(fiber_sleep_until(t), 0);
	CHECK(fiber_now() >= t);
	CHECK_EQ(fiber_timer_new(&timer, t, TICK_NS), 0);
	for (i = 0; i < 3; i++) {
		harsh_step(me->actor, "await a tick");
		CHECK_EQ(fiber_recv(fiber_timer_chan(timer), &ticked), 0);
		if (ticked < t + i * TICK_NS)
			test_fail(__FILE__, __LINE__, "tick %d after %lld ns",
				  i, (long long)(ticked - t));
	}
	fiber_timer_free(timer);
}

static int play(void *arg)
{
	struct player *me = arg;

	while (!atomic_load(&stopping))
		me->role->turn(me);
	harsh_step(me->actor, "end");
	return 0;
}

static void *play_as_thread(void *arg)
{
	play(arg);
	return NULL;
}

/* Those that never wait for long keep the others going. */
static const struct role roles[] = {
	{ "patient", 9, false, WAIT, use_a_hub },
	{ "hasty", 4, false, UNTIL, use_a_hub },
	{ "patient thread", 1, true, WAIT, use_a_hub },
	{ "hasty thread", 1, true, UNTIL, use_a_hub },
	{ "closer", 2, false, WAIT, close_a_room },
	{ "tree", 2, false, WAIT, grow_a_tree },
	{ "canceller", 1, false, WAIT, cancel_one },
	{ "sleeper", 2, false, WAIT, sleep_a_while },
};

static const struct {
	size_t size;
	size_t capacity;
} shapes[HUBS] = {
	{ 8, 0 }, { 8, 0 }, { 200, 0 }, { 8, 1 }, { 128, 3 }, { 200, 16 },
};

static void make_hubs(void)
{
	int i;

	for (i = 0; i < HUBS; i++) {
		memset(&hubs[i], 0, sizeof(hubs[i]));
		hubs[i].size = shapes[i].size;
		hubs[i].chan = new_chan(shapes[i].size, shapes[i].capacity);
	}
}

static void make_players(uint64_t *random)
{
	size_t i;
	int j;

	nr_players = 0;
	for (i = 0; i < ARRAY_SIZE(roles); i++) {
		for (j = 0; j < roles[i].n; j++) {
			struct player *me = &players[nr_players];

			CHECK(nr_players < PLAYERS_MAX);
			*me = (struct player){
				.role = &roles[i],
				.actor = harsh_actor(roles[i].name),
				.random = *random,
				.number = nr_players++,
			};
			harsh_draw(random, 1);
		}
	}
}

/* What is left in a closed channel. */
static void drain(struct hub *hub)
{
	struct message m;
	int err;

	while (!(err = fiber_recv(hub->chan, &m)))
		has_received(hub, &m);
	CHECK_EQ(err, -EPIPE);
	CHECK_EQ(fiber_chan_len(hub->chan), 0);
	CHECK_EQ(atomic_load(&hub->sent), atomic_load(&hub->received));
	CHECK_EQ(atomic_load(&hub->sum_sent), atomic_load(&hub->sum_received));
	fiber_chan_put(hub->chan);
}

static int64_t play_time;

static int all_play(void *arg)
{
	struct harsh_actor *main_actor = harsh_actor("main");
	struct fiber *fibers[PLAYERS_MAX];
	pthread_t threads[PLAYERS_MAX];
	int i;

	(void)arg;
	for (i = 0; i < nr_players; i++) {
		if (players[i].role->is_thread)
			CHECK_EQ(pthread_create(&threads[i], NULL,
						play_as_thread, &players[i]),
				 0);
		else
			fibers[i] = spawn(play, &players[i]);
	}
	harsh_step(main_actor, "sleep");
	CHECK_EQ(fiber_sleep(play_time), 0);
	atomic_store(&stopping, true);
	for (i = 0; i < HUBS; i++) {
		harsh_step(main_actor, "close");
		CHECK_EQ(fiber_chan_close(hubs[i].chan), 0);
	}
	for (i = 0; i < nr_players; i++) {
		harsh_step(main_actor, "join");
		if (players[i].role->is_thread)
			CHECK_EQ(pthread_join(threads[i], NULL), 0);
		else
			CHECK_EQ(join(fibers[i]), 0);
	}
	for (i = 0; i < HUBS; i++) {
		harsh_step(main_actor, "drain");
		drain(&hubs[i]);
	}
	return 0;
}

void harsh_traffic(unsigned int workers, unsigned int flags, int64_t ns,
		   uint64_t seed)
{
	struct fiber_config config = {
		.size = sizeof(config),
		.workers = workers,
		.flags = flags,
		.seed = seed,
	};

	harsh_watch();
	atomic_store(&stopping, false);
	play_time = ns;
	make_hubs();
	make_players(&seed);
	CHECK_EQ(fiber_run(all_play, NULL, &config), 0);
	harsh_unwatch();
}
