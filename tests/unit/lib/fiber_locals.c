// SPDX-License-Identifier: MIT
/*
 * What a function has in registers and on its stack survives that the fiber
 * goes on on another thread.
 */
#include <string.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 40
#define TURNS RUNTIME_TIMES(500)

static void maybe_yield(int yields)
{
	if (yields)
		fiber_yield();
}

/* More values that live on than there are registers of any kind. */
__attribute__((noinline)) static double compute(double seed, int yields)
{
	double a = seed, b = seed + 1, c = seed + 2, d = seed + 3;
	double e = seed + 4, f = seed + 5, g = seed + 6, h = seed + 7;
	float s = (float)seed, t = (float)seed + 1;
	long double l = seed;
	uint64_t i = (uint64_t)seed, j = i + 1, k = i + 2, m = i + 3;
	uint64_t n = i + 4, o = i + 5, p = i + 6, q = i + 7;
	int turn;

	for (turn = 0; turn < TURNS; turn++) {
		a += b * 0.5, b += c * 0.25, c -= d * 0.125, d += e * 0.0625;
		maybe_yield(yields);
		e -= f * 0.5, f += g * 0.25, g -= h * 0.125, h += a / 1024;
		s = s * 0.5f + t, t = t * 0.75f - s, l = l / 3 + turn;
		maybe_yield(yields);
		i ^= j * 3, j += k ^ turn, k *= m | 1, m -= n, n ^= o << 1;
		o += p >> 3, p *= q | 1, q += i;
		a /= 2, b /= 4, e /= 2, f /= 4;
	}
	return a + b + c + d + e + f + g + h + s + t + (double)l +
	       (double)((i ^ j ^ k ^ m ^ n ^ o ^ p ^ q) >> 12);
}

static int compute_both_ways(void *arg)
{
	double seed = 1 + (double)(intptr_t)arg;
	double expected = compute(seed, 0);
	double got = compute(seed, 1);

	/* All bits, whatever it is. */
	CHECK(!memcmp(&expected, &got, sizeof(got)));
	return 0;
}

static int compute_all(void *arg)
{
	struct fiber *fibers[FIBERS];
	intptr_t i;

	(void)arg;
	for (i = 0; i < FIBERS; i++)
		fibers[i] = runtime_spawn(compute_both_ways, (void *)i);
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	return 0;
}

static void registers(void)
{
	runtime_run(1, 0, compute_all, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, compute_all, NULL);
	runtime_run(4, FIBER_TEST_MIGRATE, compute_all, NULL);
}

static int keep_array(void *arg)
{
	unsigned char bytes[24 * 1024];
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	size_t i;
	int turn;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 31 + seed);
	for (turn = 0; turn < 20; turn++) {
		fiber_yield();
		for (i = 0; i < sizeof(bytes); i++)
			CHECK(bytes[i] == (unsigned char)(i * 31 + seed));
	}
	return 0;
}

static int keep_arrays(void *arg)
{
	struct fiber *fibers[FIBERS];
	intptr_t i;

	(void)arg;
	for (i = 0; i < FIBERS; i++)
		fibers[i] = runtime_spawn(keep_array, (void *)i);
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	return 0;
}

static void big_arrays(void)
{
	runtime_run(1, 0, keep_arrays, NULL);
	runtime_run(2, FIBER_TEST_MIGRATE, keep_arrays, NULL);
}

/* What a pointer to a local points to is seen by others, wherever they run. */
static int write_through(void *arg)
{
	atomic_int *word = arg;
	int i;

	for (i = 0; i < 100; i++) {
		atomic_fetch_add(word, 1);
		fiber_yield();
	}
	return 0;
}

static int share_local(void *arg)
{
	atomic_int word = 0;

	(void)arg;
	runtime_spawn_and_join(20, write_through, &word);
	CHECK_EQ(atomic_load(&word), 2000);
	return 0;
}

static void shared_by_pointer(void)
{
	runtime_run(3, FIBER_TEST_MIGRATE, share_local, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(registers),
		TEST(big_arrays),
		TEST(shared_by_pointer),
	};

	return RUN(argc, argv, tests);
}
