// SPDX-License-Identifier: MIT
/*
 * Without libdw a dump says so, and follows frame pointers, which this program
 * keeps.
 *
 * The linker has the library's dlopen() be ours.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atomic.h"
#include "fibers.h"

void *__wrap_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags)
{
	(void)name;
	(void)flags;
	return NULL;
}

/* The call that a fiber is in is so near to the beginning of the function. */
#define FUNCTION_MAX 400

static struct fiber_chan *chan;
static _Atomic bool stop;
static _Atomic bool begun;

__attribute__((noinline)) static int receive_below(void)
{
	int err = fiber_recv(chan, NULL);

	/* Not a tail call: the frame must be there to be seen. */
	__asm__ volatile("" ::: "memory");
	return err;
}

static int receive(void *arg)
{
	int err = receive_below();

	(void)arg;
	__asm__ volatile("" ::: "memory");
	return err;
}

__attribute__((noinline)) static void compute_below(void)
{
	begun = true;
	while (!stop)
		;
	__asm__ volatile("" ::: "memory");
}

static int compute(void *arg)
{
	(void)arg;
	compute_below();
	__asm__ volatile("" ::: "memory");
	return 0;
}

static char *dump(void)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	off_t size;
	char *said;

	CHECK(fd >= 0);
	CHECK_EQ(fiber_dump(fd, 0), 0);
	size = lseek(fd, 0, SEEK_END);
	said = calloc(1, size + 1);
	CHECK(said);
	CHECK_EQ(pread(fd, said, size, 0), size);
	close(fd);
	return said;
}

/* Whether there is a frame of the function, in any stack. */
static bool has_frame(const char *said, const void *function)
{
	const char *at = said;

	while ((at = strstr(at, "\n    0x"))) {
		uintptr_t pc = strtoul(at + 5, NULL, 16);

		if (pc >= (uintptr_t)function &&
		    pc < (uintptr_t)function + FUNCTION_MAX)
			return true;
		at++;
	}
	return false;
}

static int waits(const struct fiber_info *info, void *fiber)
{
	return info->id == fiber_id(fiber) && info->state == FIBER_STATE_WAITS;
}

static void see_parked(void)
{
	struct fiber *fiber;
	char *said;

	chan = new_chan(0, 0);
	fiber = spawn(receive, NULL);
	while (!fiber_each(waits, fiber))
		fiber_yield();
	said = dump();
	CHECK_IN(said,
		 "fiber: no libdw.so.1: only what is exported has a name");
	CHECK_IN(said, "waits in fiber_recv() for ");
	CHECK(has_frame(said, (const void *)receive_below));
	CHECK(has_frame(said, (const void *)receive));
	free(said);
	CHECK_EQ(fiber_chan_close(chan), 0);
	join(fiber);
	fiber_chan_put(chan);
}

static void of_one_that_waits(void)
{
	run_shapes(0, see_parked);
}

static void see_running(void)
{
	struct fiber *fiber;
	char *said;

	stop = begun = false;
	fiber = spawn(compute, NULL);
	while (!begun)
		fiber_yield();
	said = dump();
	/* On a busy machine a worker may have no CPU for long. */
	while (strstr(said, "does not answer")) {
		free(said);
		said = dump();
	}
	/* What calls a function without a frame is skipped. */
	CHECK(has_frame(said, (const void *)compute_below));
	free(said);
	stop = true;
	join(fiber);
}

static void of_one_that_runs(void)
{
#ifdef FIBER_TSAN
	test_skip("the thread sanitizer puts signals off");
#endif
	for (int i = 0; i < 20; i++)
		run_with(3, 0, see_running);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(of_one_that_waits),
		TEST(of_one_that_runs),
	};

	return RUN(argc, argv, tests);
}
