// SPDX-License-Identifier: MIT
/*
 * Every allocation and every mapping fails once, in turn, while all of the
 * library is used. Either it does without, or the call that wanted memory says
 * so, and then: nothing is lost, and all of it works when it is done again.
 *
 * The linker replaces what allocates (--wrap), here and in the library but not
 * in the C library. Each try is a process of its own, as what stays for later,
 * such as control blocks, is only ever allocated once in a process.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harsh.h"

#define CALLS_MAX 1000

/* Which call is to fail next; 0 is none. */
static atomic_int countdown;
static atomic_int calls;
/* What is allocated, and mapped, and has not been given back. */
static atomic_long blocks;
static atomic_long bytes;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *block);
void __wrap_free(void *block);
void *__real_mmap(void *at, size_t size, int prot, int flags, int fd,
		  off_t off);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd,
		  off_t off);
int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);

/* Others may call meanwhile: below 0 it has failed. */
static bool fails(void)
{
	atomic_fetch_add(&calls, 1);
	return atomic_load(&countdown) > 0 &&
	       atomic_fetch_sub(&countdown, 1) == 1;
}

static void *counted(void *block)
{
	atomic_fetch_add(&blocks, block ? 1 : 0);
	return block;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	void *block = fails() ? NULL : __real_realloc(old, size);

	return old ? block : counted(block);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *block)
{
	atomic_fetch_sub(&blocks, block ? 1 : 0);
	__real_free(block);
}

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t off)
{
	void *map;

	if (fails()) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	map = __real_mmap(at, size, prot, flags, fd, off);
	atomic_fetch_add(&bytes, map == MAP_FAILED ? 0 : size);
	return map;
}

int __wrap_munmap(void *at, size_t size)
{
	int err = __real_munmap(at, size);

	atomic_fetch_sub(&bytes, err ? 0 : size);
	return err;
}

/* What a process finds out for the one that started it. */
struct
try {
	int calls; /* that the scenario makes */
	int err; /* of the scenario */
	char where[200];
	long blocks; /* that stay when it is done twice */
	long bytes;
};

static struct try *shared;

static void try_nth(int nth)
{
	const char *where = NULL;

	atomic_store(&calls, 0);
	atomic_store(&countdown, nth);
	shared->err = harsh_scenario(&where);
	shared->calls = atomic_load(&calls);
	snprintf(shared->where, sizeof(shared->where), "%s",
		 where ? where : "");
	atomic_store(&countdown, 0);
	CHECK_EQ(harsh_scenario(NULL), 0);
	shared->blocks = atomic_load(&blocks);
	shared->bytes = atomic_load(&bytes);
}

static struct try try_in_child(int nth)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		/* The limit of this test is not inherited. */
		alarm(20);
		if (nth) {
			/* What is said about it is checked elsewhere. */
			CHECK(freopen("/dev/null", "w", stderr));
		}
		try_nth(nth);
		fflush(stdout);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (status)
		test_fail(__FILE__, __LINE__, "call %d fails: status %#x", nth,
			  status);
	return *shared;
}

static void share(void)
{
	shared = __real_mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
}

static void each_fails_once(void)
{
	struct try none;
	struct try one;
	int reported = 0;
	int nth = 0;

	share();
	none = try_in_child(0);
	CHECK_EQ(none.err, 0);
	do {
		CHECK(++nth < CALLS_MAX);
		one = try_in_child(nth);
		reported += one.err < 0;
		/* The order of calls is not the same each time, the sum is. */
		if (one.blocks != none.blocks || one.bytes != none.bytes)
			test_fail(__FILE__, __LINE__,
				  "call %d fails, %s is %d: %ld blocks and "
				  "%ld bytes are left, and not %ld and %ld",
				  nth, one.where, one.err, one.blocks,
				  one.bytes, none.blocks, none.bytes);
	} while (one.calls >= nth);
	test_note("%d calls; %d were reported", nth - 1, reported);
	CHECK(reported > 20);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(each_fails_once),
	};

	return RUN(argc, argv, tests);
}
