// SPDX-License-Identifier: MIT
/*
 * Prints how many thousand times a second this host's time stamp counter counts.
 *
 * An emulated guest reads the host's counter, and has to find out its rate against an emulated
 * timer. On a busy host it was seen to be wrong by a factor of 2.6, and so all its clocks. So it is
 * told: the host knows the time.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The two clocks, read as near to each other as some tries allow. */
static void read_both(int64_t *ns, uint64_t *ticks)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < 10; i++) {
		int64_t before = now_ns();
		uint64_t tsc = __rdtsc();
		int64_t took = now_ns() - before;

		if (took < least) {
			least = took;
			*ns = before + took / 2;
			*ticks = tsc;
		}
	}
}

int main(void)
{
	struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	uint64_t tick0 = 0, tick1 = 0;
	int64_t ns0 = 0, ns1 = 0;

	read_both(&ns0, &tick0);
	nanosleep(&pause, NULL);
	read_both(&ns1, &tick1);
	printf("%.0f\n", (tick1 - tick0) * 1e6 / (ns1 - ns0));
	return 0;
}
