// SPDX-License-Identifier: MIT
/*
 * Messages: rendezvous, buffers, select, and deadlines that do not come.
 */
#include "fiber_bench.h"

#define PAIRS_MAX 4
#define SELECT_MAX 8
#define PASSES 15 /* of each kind that until_unreached compares */

static struct fiber_chan *there, *back, *chans[SELECT_MAX];
static long trips, width;
static int64_t deadline;

static int echo(void *arg)
{
	(void)arg;
	for (long i = 0; i < trips; i++)
		bench_send(back, bench_recv(there) + 1);
	return 0;
}

/* Over two channels without a buffer: a round trip is two messages. */
static double pingpong_ns(long n)
{
	struct fiber *other;
	int64_t t;

	trips = n;
	other = bench_spawn(echo, NULL);
	t = bench_now();
	for (long i = 0; i < n; i++) {
		bench_send(there, i);
		if (bench_recv(back) != (uint64_t)i + 1)
			bench_die("a message came out wrong");
	}
	t = bench_now() - t;
	must(fiber_join(other, NULL));
	return (double)t / n;
}

static void pingpong(void)
{
	there = bench_chan(0);
	back = bench_chan(0);
	pingpong_ns(1000);
	bench_print("pingpong", pingpong_ns(bench_scaled(2000000)), "ns");
}

static int sender(void *arg)
{
	for (long i = 0; i < trips; i++)
		bench_send(arg, i);
	return 0;
}

static int receiver(void *arg)
{
	for (long i = 0; i < trips; i++)
		bench_recv(arg);
	return 0;
}

/* Of one message, n in all through one channel. */
static double stream_ns(struct fiber_chan *chan, int pairs, long n,
			int (*send)(void *), int (*recv)(void *))
{
	struct fiber *fibers[2 * PAIRS_MAX];
	int64_t t = bench_now();

	trips = n / pairs;
	for (int i = 0; i < pairs; i++) {
		fibers[2 * i] = bench_spawn(recv, chan);
		fibers[2 * i + 1] = bench_spawn(send, chan);
	}
	for (int i = 0; i < 2 * pairs; i++)
		must(fiber_join(fibers[i], NULL));
	return (double)(bench_now() - t) / ((double)trips * pairs);
}

static void stream(const char *name, size_t capacity, int pairs)
{
	struct fiber_chan *chan = bench_chan(capacity);

	stream_ns(chan, pairs, 1000, sender, receiver);
	bench_print(name,
		    stream_ns(chan, pairs, bench_scaled(4000000), sender,
			      receiver),
		    "ns");
}

static void send_unbuffered(void)
{
	stream("send_unbuffered", 0, 1);
}

static void buffered128_spsc(void)
{
	stream("buffered128_spsc", 128, 1);
}

static void buffered128_4x4(void)
{
	stream("buffered128_4x4", 128, 4);
}

static int random_sender(void *arg)
{
	uint32_t state = 1;

	(void)arg;
	for (long i = 0; i < trips; i++)
		bench_send(chans[bench_random(&state) % width], i);
	return 0;
}

/*
 * One fiber selects among n channels without a buffer, receiving from each; one
 * other sends, each time to one of the channels at random. Of one message. Go's
 * is the same, with a select statement of n cases.
 */
static void select_of(const char *name, int n)
{
	struct fiber_case cases[SELECT_MAX];
	struct fiber *other;
	uint64_t value;
	int64_t t;

	trips = bench_scaled(1000000);
	width = n;
	for (int i = 0; i < n; i++) {
		chans[i] = bench_chan(0);
		cases[i] =
			(struct fiber_case){ chans[i], &value, FIBER_RECV, 0 };
	}
	other = bench_spawn(random_sender, NULL);
	t = bench_now();
	for (long i = 0; i < trips; i++) {
		must(fiber_select(cases, n, 0));
		if (value != (uint64_t)i)
			bench_die("a message came out wrong");
	}
	bench_print(name, (double)(bench_now() - t) / trips, "ns");
	must(fiber_join(other, NULL));
}

static void select2(void)
{
	select_of("select2", 2);
}

static void select8(void)
{
	select_of("select8", 8);
}

static uint64_t recv_until(struct fiber_chan *chan)
{
	uint64_t value;

	must(fiber_recv_until(chan, &value, deadline));
	return value;
}

static int echo_until(void *arg)
{
	(void)arg;
	for (long i = 0; i < trips; i++)
		bench_send(back, recv_until(there) + 1);
	return 0;
}

/* As pingpong_ns(), but each receive, which is what waits there, _until. */
static double pingpong_until_ns(long n)
{
	struct fiber *other;
	int64_t t;

	trips = n;
	other = bench_spawn(echo_until, NULL);
	t = bench_now();
	for (long i = 0; i < n; i++) {
		bench_send(there, i);
		if (recv_until(back) != (uint64_t)i + 1)
			bench_die("a message came out wrong");
	}
	t = bench_now() - t;
	must(fiber_join(other, NULL));
	return (double)t / n;
}

static int sender_until(void *arg)
{
	for (uint64_t i = 0; i < (uint64_t)trips; i++)
		must(fiber_send_until(arg, &i, deadline));
	return 0;
}

static int receiver_until(void *arg)
{
	for (long i = 0; i < trips; i++)
		recv_until(arg);
	return 0;
}

/*
 * What one _until call costs more than its plain one. Passes of both take turns
 * in one process, and their medians are compared. Two calls of each round trip,
 * and of each message in a buffer, are _until.
 */
static void until_unreached(void)
{
	struct fiber_chan *chan = bench_chan(128);
	double plain[2][PASSES], until[2][PASSES];
	long n = bench_scaled(100000);

	there = bench_chan(0);
	back = bench_chan(0);
	deadline = fiber_after(INT64_C(3600000000000));
	for (int i = 0; i < PASSES; i++) {
		plain[0][i] = pingpong_ns(n);
		until[0][i] = pingpong_until_ns(n);
		plain[1][i] = stream_ns(chan, 1, 4 * n, sender, receiver);
		until[1][i] =
			stream_ns(chan, 1, 4 * n, sender_until, receiver_until);
	}
	for (int i = 0; i < 2; i++) {
		double extra = bench_quantile(until[i], PASSES, 0.5) -
			       bench_quantile(plain[i], PASSES, 0.5);

		bench_print(i ? "until_unreached_buffered" :
				"until_unreached_pingpong",
			    extra / 2, "ns");
	}
}

const struct bench_row fiber_chan_rows[] = {
	{ "pingpong", pingpong },
	{ "send_unbuffered", send_unbuffered },
	{ "buffered128_spsc", buffered128_spsc },
	{ "buffered128_4x4", buffered128_4x4 },
	{ "select2", select2 },
	{ "select8", select8 },
	{ "until_unreached", until_unreached },
	{ NULL, NULL },
};
