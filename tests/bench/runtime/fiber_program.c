// SPDX-License-Identifier: MIT
/*
 * Small programs that others measure their runtimes with.
 */
#include "fiber_bench.h"

#define RING 10000
#define CHAIN 10000

struct link {
	struct fiber_chan *left, *right;
};

static long laps;

static void ring_node(void *arg)
{
	struct link *link = arg;

	for (long i = 0; i < laps; i++)
		bench_send(link->right, bench_recv(link->left) + 1);
}

/* One token goes round 10,000 fibers; the main fiber closes the ring. */
static void ring10k(void)
{
	struct link *links = bench_alloc(RING, sizeof(*links));
	struct fiber_chan *first = bench_chan(0), *last = first;
	int64_t t = 0;

	laps = 1 + bench_scaled(200);
	for (int i = 0; i < RING; i++) {
		links[i].left = last;
		links[i].right = last = bench_chan(0);
		must(fiber_go(ring_node, &links[i]));
	}
	/* Its first lap starts them all. */
	for (long i = 0; i < laps; i++) {
		if (i == 1)
			t = bench_now();
		bench_send(first, 0);
		if (bench_recv(last) != RING)
			bench_die("a fiber was left out");
	}
	bench_print("ring10k",
		    (double)(bench_now() - t) / ((laps - 1) * (double)RING),
		    "ns");
}

/*
 * Each side of a channel has a reference of its own. The link is copied since
 * the next chain may be made before the end of this fiber.
 */
static void daisy(void *arg)
{
	struct link link = *(struct link *)arg;

	bench_send(link.left, 1 + bench_recv(link.right));
	fiber_chan_put(link.left);
	fiber_chan_put(link.right);
}

static void daisy_first(void *arg)
{
	bench_send(arg, 1);
	fiber_chan_put(arg);
}

static double daisychain_ms(struct link *links)
{
	int64_t t = bench_now();
	struct fiber_chan *leftmost = bench_chan(0), *left = leftmost;

	fiber_chan_get(leftmost);
	for (int i = 0; i < CHAIN; i++) {
		links[i].left = left;
		links[i].right = left = bench_chan(0);
		fiber_chan_get(left);
		must(fiber_go(daisy, &links[i]));
	}
	must(fiber_go(daisy_first, left));
	if (bench_recv(leftmost) != CHAIN + 1)
		bench_die("a fiber was left out");
	fiber_chan_put(leftmost);
	return (bench_now() - t) / 1e6;
}

/* Made, run through once, and gone; warm: the first of the passes is dropped. */
static void daisychain10k(void)
{
	struct link *links = bench_alloc(CHAIN, sizeof(*links));
	long n = bench_scaled(50);
	double *ms = bench_alloc(n, sizeof(*ms));

	daisychain_ms(links);
	for (long i = 0; i < n; i++)
		ms[i] = daisychain_ms(links);
	bench_print("daisychain10k", bench_quantile(ms, n, 0.5), "ms");
}

struct filter {
	struct fiber_chan *in, *out;
	uint64_t prime;
};

static void numbers(void *arg)
{
	for (uint64_t i = 2;; i++)
		bench_send(arg, i);
}

static void filter(void *arg)
{
	struct filter f = *(struct filter *)arg;
	uint64_t value;

	for (;;) {
		value = bench_recv(f.in);
		if (value % f.prime)
			bench_send(f.out, value);
	}
}

/* The 5000th prime, each prime before it a fiber that filters its multiples. */
static void sieve(const char *name, size_t capacity)
{
	long n = bench_scaled(5000);
	struct filter *filters = bench_alloc(n, sizeof(*filters));
	struct fiber_chan *chan = bench_chan(capacity);
	uint64_t prime = 0;
	int64_t t = bench_now();

	must(fiber_go(numbers, chan));
	for (long i = 0; i < n; i++) {
		prime = bench_recv(chan);
		filters[i].in = chan;
		filters[i].out = chan = bench_chan(capacity);
		filters[i].prime = prime;
		must(fiber_go(filter, &filters[i]));
	}
	if (n == 5000 && prime != 48611)
		bench_die("%lu is not the 5000th prime", prime);
	bench_print(name, (bench_now() - t) / 1e6, "ms");
}

static void sieve5000(void)
{
	sieve("sieve5000", 0);
}

static void sieve5000_buffered2(void)
{
	sieve("sieve5000_buffered2", 2);
}

struct skynet {
	struct fiber_chan *chan; /* a reference of its own */
	uint64_t number;
	uint64_t size;
};

/* The children's tasks lie on this stack until their sums have come. */
static void skynet(void *arg)
{
	struct skynet task = *(struct skynet *)arg, children[10];
	struct fiber_chan *chan;
	uint64_t sum = task.number;

	if (task.size > 1) {
		chan = bench_chan(0);
		task.size /= 10;
		for (int i = 0; i < 10; i++) {
			children[i].chan = fiber_chan_get(chan);
			children[i].number = task.number + i * task.size;
			children[i].size = task.size;
			must(fiber_go(skynet, &children[i]));
		}
		sum = 0;
		for (int i = 0; i < 10; i++)
			sum += bench_recv(chan);
		fiber_chan_put(chan);
	}
	bench_send(task.chan, sum);
	fiber_chan_put(task.chan);
}

/* A tree with ten branches at each knot and a million leaves, summed up. */
static void skynet1m(void)
{
	struct fiber_chan *chan = bench_chan(0);
	struct skynet root = { fiber_chan_get(chan), 0, 1000000 };
	int64_t t = bench_now();

	must(fiber_go(skynet, &root));
	if (bench_recv(chan) != UINT64_C(499999500000))
		bench_die("skynet came out wrong");
	bench_print("skynet1m", (bench_now() - t) / 1e6, "ms");
}

const struct bench_row fiber_program_rows[] = {
	{ "ring10k", ring10k },
	{ "daisychain10k", daisychain10k },
	{ "sieve5000", sieve5000 },
	{ "sieve5000_buffered2", sieve5000_buffered2 },
	{ "skynet1m", skynet1m },
	{ NULL, NULL },
};
