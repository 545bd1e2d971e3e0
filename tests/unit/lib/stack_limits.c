// SPDX-License-Identifier: MIT
/*
 * What is said when there are no more stacks, and that nothing is lost by it.
 *
 * The system calls are replaced by the linker (--wrap): each may fail at a given
 * call, or always in a given way, and the files of /proc may say something else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arena.h"
#include "harness.h"
#include "maplimit.h"

/* Fails from its nth call on, so many times; 0 is never. */
struct fault {
	int nth;
	int times;
	int err;
};

static struct fault mmap_fault, madvise_fault, mprotect_fault, process_fault;
static size_t process_done_max = SIZE_MAX; /* it stops half way */
static const char *overcommit; /* or NULL, to ask the kernel */
static const char *maps_max;

static struct fiber_stack_arena arena;
static struct fiber_stack *stacks[64];
static struct fiber_why why;

static bool fails(struct fault *fault)
{
	if (fault->nth == 0 || --fault->nth > 0)
		return false;
	if (--fault->times > 0)
		fault->nth = 1;
	errno = fault->err;
	return true;
}

static struct fault always(int err)
{
	return (struct fault){ .nth = 1, .times = 1 << 30, .err = err };
}

void *__real_mmap(void *at, size_t size, int prot, int flags, int fd,
		  off_t off);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd,
		  off_t off);
int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);
int __real_mprotect(void *at, size_t size, int prot);
int __wrap_mprotect(void *at, size_t size, int prot);
ssize_t __real_process_madvise(int fd, const struct iovec *ranges, size_t n,
			       int advice, unsigned int flags);
ssize_t __wrap_process_madvise(int fd, const struct iovec *ranges, size_t n,
			       int advice, unsigned int flags);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t off)
{
	return fails(&mmap_fault) ? MAP_FAILED :
				    __real_mmap(at, size, prot, flags, fd, off);
}

int __wrap_madvise(void *at, size_t size, int advice)
{
	return fails(&madvise_fault) ? -1 : __real_madvise(at, size, advice);
}

int __wrap_mprotect(void *at, size_t size, int prot)
{
	return fails(&mprotect_fault) ? -1 : __real_mprotect(at, size, prot);
}

ssize_t __wrap_process_madvise(int fd, const struct iovec *ranges, size_t n,
			       int advice, unsigned int flags)
{
	if (fails(&process_fault))
		return -1;
	if (n > process_done_max)
		n = process_done_max;
	return __real_process_madvise(fd, ranges, n, advice, flags);
}

int __wrap_open(const char *path, int flags, ...)
{
	const char *text = NULL;
	int fds[2];

	if (!strcmp(path, "/proc/sys/vm/overcommit_memory"))
		text = overcommit;
	if (!strcmp(path, "/proc/sys/vm/max_map_count"))
		text = maps_max;
	if (!text)
		return __real_open(path, flags);
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(write(fds[1], text, strlen(text)), strlen(text));
	close(fds[1]);
	return fds[0];
}

static void write_to(void *at)
{
	*(volatile char *)at = 1;
}

static int touch_guard(const struct fiber_stack *stack)
{
	return test_death(write_to, stack->low - 1, NULL, 0);
}

/* Get stacks until there are no more; returns how many there were. */
static int exhaust(void)
{
	int n = 0;
	int got;

	while ((got = _fiber_stack_get(&arena, stacks, 64, &why)) > 0)
		n += got;
	CHECK_EQ(got, -ENOMEM);
	return n;
}

/* Leave so much of a limit. */
static void limit(int resource, const char *field, long bytes)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	CHECK(status);
	while (fgets(line, sizeof(line), status)) {
		if (!strncmp(line, field, strlen(field)))
			kib = atol(line + strlen(field));
	}
	fclose(status);
	CHECK(kib >= 0);
	CHECK_EQ(setrlimit(resource,
			   &(struct rlimit){ .rlim_cur = kib * 1024 + bytes,
					     .rlim_max = RLIM_INFINITY }),
		 0);
}

static void address_space(void)
{
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	limit(RLIMIT_AS, "VmSize:", 6 << 20);
	CHECK(exhaust() >= 64);
	CHECK_IN(why.text, "RLIMIT_AS");
	CHECK_IN(why.text, "ulimit -v");
	_fiber_stack_arena_exit(&arena);
}

static void data(void)
{
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	limit(RLIMIT_DATA, "VmData:", 6 << 20);
	CHECK(exhaust() >= 64);
	CHECK_IN(why.text, "RLIMIT_DATA");
	_fiber_stack_arena_exit(&arena);
}

static void overcommit_2(void)
{
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	overcommit = "2\n";
	mmap_fault = always(ENOMEM);
	CHECK_EQ(exhaust(), 0);
	CHECK_IN(why.text, "vm.overcommit_memory is 2");
	_fiber_stack_arena_exit(&arena);
}

static void mappings(void)
{
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	maps_max = "5\n";
	mmap_fault = always(ENOMEM);
	CHECK_EQ(exhaust(), 0);
	CHECK_IN(why.text, "vm.max_map_count allows (5)");
	_fiber_stack_arena_exit(&arena);
}

static void no_known_limit(void)
{
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	mmap_fault = always(ENOMEM);
	overcommit = "0\n";
	CHECK_EQ(exhaust(), 0);
	CHECK_IN(why.text, "no memory for");
	_fiber_stack_arena_exit(&arena);
}

static void protect_leaves_mappings_to_others(void)
{
	int n;

	arena_init(&arena, FIBER_GUARD_PROTECT, 0);
	maps_max = "12000\n";
	n = exhaust();
	CHECK(n > 1500 && n <= (12000 - 8192) / 2);
	CHECK_IN(why.text, "vm.max_map_count is 12000; raise it");
	/* What comes back can be had again. */
	arena_put(&arena, stacks[0]);
	CHECK_EQ(exhaust(), 1);
	CHECK(_fiber_maplimit_maps_used() < 12000 - 8000);
	_fiber_stack_arena_exit(&arena);
}

static void protect_stops_where_the_kernel_does(void)
{
	arena_init(&arena, FIBER_GUARD_PROTECT, 0);
	mprotect_fault = always(ENOMEM);
	mprotect_fault.nth = 11;
	CHECK_EQ(_fiber_stack_get(&arena, stacks, 64, &why), 10);
	CHECK_EQ(touch_guard(stacks[9]), SIGSEGV);
	CHECK_EQ(exhaust(), 0);
	CHECK_IN(why.text, "vm.max_map_count");
	_fiber_stack_arena_exit(&arena);
}

/* As a kernel before 6.13, or memory that is locked. */
static void without_install(void)
{
	process_fault = always(EINVAL);
	madvise_fault = always(EINVAL);
	arena_init(&arena, FIBER_GUARD_BEST, 0);
	arena_get_all(&arena, stacks, 64);
	CHECK_EQ(arena.ladder.rung, FIBER_GUARD_PROTECT);
	CHECK_EQ(touch_guard(stacks[0]), SIGSEGV);
	CHECK_EQ(touch_guard(stacks[63]), SIGSEGV);
	_fiber_stack_arena_exit(&arena);
	arena_init(&arena, FIBER_GUARD_INSTALL, 0);
	CHECK_EQ(_fiber_stack_get(&arena, stacks, 1, &why), -EOPNOTSUPP);
	CHECK_IN(why.text, "Linux 6.13");
	_fiber_stack_arena_exit(&arena);
}

static void check_installed(void)
{
	int i;

	arena_init(&arena, FIBER_GUARD_INSTALL, 0);
	arena_get_all(&arena, stacks, 64);
	for (i = 0; i < 64; i += 21)
		CHECK_EQ(touch_guard(stacks[i]), SIGSEGV);
	_fiber_stack_arena_exit(&arena);
}

static void without_batches(void)
{
	arena_needs_install();
	process_fault = always(ENOSYS);
	check_installed();
	process_fault = always(EPERM);
	check_installed();
}

static void batch_that_stops_half_way(void)
{
	arena_needs_install();
	process_done_max = 22;
	check_installed();
}

static void locked_memory_stays(void)
{
	arena_init(&arena, FIBER_GUARD_PROTECT, 0);
	arena_get_all(&arena, stacks, 64);
	stacks[5]->low[0] = 1;
	madvise_fault = process_fault = always(EINVAL);
	_fiber_stack_put(&arena, stacks, 64);
	arena_get_all(&arena, stacks, 64);
	_fiber_stack_arena_exit(&arena);
}

/*
 * Of so many calls each fails once. Either there are stacks nevertheless, or
 * -ENOMEM and a sentence, and stacks at the second try; at the end all is
 * given back.
 */
static void check_one_failure(struct fault *fault, enum fiber_guard guard)
{
	long before;
	int err;
	int nth;

	for (nth = 1; nth <= 8; nth++) {
		before = _fiber_maplimit_maps_used();
		why.text[0] = '\0';
		arena_init(&arena, guard, 0);
		*fault =
			(struct fault){ .nth = nth, .times = 1, .err = ENOMEM };
		err = _fiber_stack_get(&arena, stacks, 64, &why);
		CHECK(err > 0 || (err == -ENOMEM && why.text[0]));
		if (err < 0)
			arena_get_all(&arena, stacks, 64);
		*fault = (struct fault){ 0 };
		CHECK_EQ(touch_guard(stacks[0]), SIGSEGV);
		_fiber_stack_arena_exit(&arena);
		CHECK_EQ(_fiber_maplimit_maps_used(), before);
	}
}

static void one_failure_of_mmap(void)
{
	check_one_failure(&mmap_fault, FIBER_GUARD_BEST);
}

static void one_failure_of_madvise(void)
{
	arena_needs_install();
	process_fault = always(ENOSYS);
	check_one_failure(&madvise_fault, FIBER_GUARD_INSTALL);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(address_space),
		TEST(data),
		TEST(overcommit_2),
		TEST(mappings),
		TEST(no_known_limit),
		TEST(protect_leaves_mappings_to_others),
		TEST(protect_stops_where_the_kernel_does),
		TEST(without_install),
		TEST(without_batches),
		TEST(batch_that_stops_half_way),
		TEST(locked_memory_stays),
		TEST(one_failure_of_mmap),
		TEST(one_failure_of_madvise),
	};

	return RUN(argc, argv, tests);
}
