// SPDX-License-Identifier: MIT
/*
 * build/bench/floor ROW WORKERS - what nothing can be faster than: the library's
 * switch between two stacks with nothing around it, and one locked operation.
 */
#include <stdio.h>
#include "arch/switch.h"
#include "common.h"

static struct fiber_context here, other;

/* Goes back as often as it is come to. */
static void pong(void *pass)
{
	for (;;)
		pass = _fiber_switch(&other, &here, pass);
}

static void raw_switch(void)
{
	static _Alignas(64) char stack[65536];
	long n = bench_scaled(10000000);
	int64_t t;

	_fiber_context_init(&other, stack + sizeof(stack), pong);
	_fiber_switch(&here, &other, NULL);
	t = bench_now();
	for (long i = 0; i < n; i++)
		_fiber_switch(&here, &other, NULL);
	bench_print("raw_switch", (double)(bench_now() - t) / n / 2, "ns");
}

/* Its result is used, so that it is an exchange-and-add on x86. */
static void locked_op(void)
{
	static _Alignas(64) uint64_t line;
	long n = bench_scaled(20000000);
	uint64_t seen = 0;
	int64_t t = bench_now();

	for (long i = 0; i < n; i++)
		seen |= __atomic_fetch_add(&line, 1, __ATOMIC_ACQ_REL);
	bench_print("locked_op", (double)(bench_now() - t) / n, "ns");
	if (!seen && n > 1)
		bench_die("nothing was added");
}

static void floor_of_both(void)
{
	raw_switch();
	locked_op();
}

static const struct bench_row rows[] = {
	{ "floor", floor_of_both },
	{ NULL, NULL },
};
static const struct bench_row *const tables[] = { rows, NULL };

int main(int argc, char **argv)
{
	bench_args(argc, argv, tables)->run();
	return 0;
}
