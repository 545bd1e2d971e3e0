// SPDX-License-Identifier: MIT
/*
 * Primes, by a chain of fibers that grows: each holds one prime and lets through
 * what it does not divide.
 *
 * usage: sieve [COUNT]
 *
 * sieve 4 prints:
 *	2
 *	3
 *	5
 *	7
 */
#include <stdio.h>
#include <stdlib.h>

#include <fiber.h>

FIBER_CHAN_TYPE(numbers, int);

struct filter {
	struct numbers in;
	struct numbers out;
	int prime;
};

static void count(void *arg)
{
	struct numbers out = { arg };

	/* Ends when the runtime stops and cancels whoever is left. */
	for (int i = 2; numbers_send(out, i) == 0; i++)
		;
}

static void filter(void *arg)
{
	struct filter *f = arg;
	int i;

	while (numbers_recv(f->in, &i) == 0) {
		if (i % f->prime && numbers_send(f->out, i))
			break;
	}
	free(f);
}

/* A filter behind chan; returns its other end. */
static struct numbers add_filter(struct numbers chan, int prime)
{
	struct filter *f = malloc(sizeof(*f));
	struct numbers out;

	if (!f || numbers_new(&out, 0))
		exit(1);
	*f = (struct filter){ .in = chan, .out = out, .prime = prime };
	if (fiber_go(filter, f))
		exit(1);
	return out;
}

static int start(void *arg)
{
	int primes = *(int *)arg;
	struct numbers chan;
	int prime;

	if (numbers_new(&chan, 0) || fiber_go(count, chan.chan))
		return 1;
	while (primes-- > 0 && numbers_recv(chan, &prime) == 0) {
		printf("%d\n", prime);
		chan = add_filter(chan, prime);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int primes = argc > 1 ? atoi(argv[1]) : 10;

	return fiber_run(start, &primes, NULL);
}
