// SPDX-License-Identifier: MIT
/*
 * Stacks of fibers are never made of huge pages, of which one would be as large
 * as many stacks and be given to the first that is touched: the kernel is told, and
 * lists the mapping with the flag "nh". Since Linux 6.7 MAP_STACK says it too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

#define FIBERS 40
#define WORKERS 2

static uintptr_t stacks[FIBERS];
static atomic_int gate;
static atomic_int begun;

static int stand(void *arg)
{
	*(uintptr_t *)arg = (uintptr_t)__builtin_frame_address(0);
	atomic_fetch_add(&begun, 1);
	runtime_await(&gate, 1);
	return 0;
}

static int count_in(uintptr_t from, uintptr_t to)
{
	int n = 0;
	int i;

	for (i = 0; i < FIBERS; i++)
		n += stacks[i] >= from && stacks[i] < to;
	return n;
}

/* How many are in mappings that the kernel lists; each of those has the flag. */
static int check_mappings(void)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	uintptr_t from, to;
	char line[512];
	int found = 0;
	int here = 0;

	CHECK(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			here = count_in(from, to);
		if (here && !strncmp(line, "VmFlags:", 8)) {
			CHECK_IN(line, " nh");
			found += here;
		}
	}
	fclose(smaps);
	return found;
}

static int look(void *arg)
{
	struct fiber *fibers[FIBERS];
	int i;

	(void)arg;
	for (i = 0; i < FIBERS; i++)
		fibers[i] = runtime_spawn(stand, &stacks[i]);
	runtime_await(&begun, FIBERS);
	CHECK_EQ(check_mappings(), FIBERS);
	atomic_store(&gate, 1);
	for (i = 0; i < FIBERS; i++)
		CHECK_EQ(runtime_join(fibers[i]), 0);
	return 0;
}

static void kernel_is_told(void)
{
	if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK))
		test_skip("no huge pages in this kernel");
	runtime_run(WORKERS, 0, look, NULL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(kernel_is_told),
	};

	return RUN(argc, argv, tests);
}
