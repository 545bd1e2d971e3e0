// SPDX-License-Identifier: MIT
/*
 * A kernel that says no: every system call that the runtime can do without, or
 * do again, is refused once, in turn, or always.
 *
 * The linker replaces the functions of the C library (--wrap), here and in the
 * library but not in the C library itself.
 */
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harsh.h"

/* Fails at its nth call, or at all of them; 0 is never. */
struct refusal {
	atomic_int nth;
	atomic_bool always;
	int err;
	atomic_int calls;
};

static struct refusal madvise_refusal, process_refusal, mprotect_refusal;
static struct refusal thread_refusal, altstack_refusal, prctl_refusal;
static struct refusal pidfd_refusal, register_refusal, barrier_refusal;
static atomic_bool futexes_tease;

static bool refused(struct refusal *r)
{
	atomic_fetch_add(&r->calls, 1);
	if (!atomic_load(&r->always) &&
	    (atomic_load(&r->nth) <= 0 || atomic_fetch_sub(&r->nth, 1) != 1))
		return false;
	errno = r->err;
	return true;
}

static void refuse(struct refusal *r, int err)
{
	r->err = err;
	atomic_store(&r->always, err != 0);
}

int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);
int __real_mprotect(void *at, size_t size, int prot);
int __wrap_mprotect(void *at, size_t size, int prot);
ssize_t __real_process_madvise(int fd, const struct iovec *ranges, size_t n,
			       int advice, unsigned int flags);
ssize_t __wrap_process_madvise(int fd, const struct iovec *ranges, size_t n,
			       int advice, unsigned int flags);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *), void *arg);
int __real_sigaltstack(const stack_t *stack, stack_t *old);
int __wrap_sigaltstack(const stack_t *stack, stack_t *old);
int __wrap_prctl(int option, ...);
int __real_prctl(int option, ...);
int __real_pidfd_open(pid_t pid, unsigned int flags);
int __wrap_pidfd_open(pid_t pid, unsigned int flags);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

int __wrap_madvise(void *at, size_t size, int advice)
{
	return refused(&madvise_refusal) ? -1 :
					   __real_madvise(at, size, advice);
}

int __wrap_mprotect(void *at, size_t size, int prot)
{
	return refused(&mprotect_refusal) ? -1 :
					    __real_mprotect(at, size, prot);
}

ssize_t __wrap_process_madvise(int fd, const struct iovec *ranges, size_t n,
			       int advice, unsigned int flags)
{
	return refused(&process_refusal) ?
		       -1 :
		       __real_process_madvise(fd, ranges, n, advice, flags);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *), void *arg)
{
	return refused(&thread_refusal) ?
		       thread_refusal.err :
		       __real_pthread_create(thread, attr, fn, arg);
}

int __wrap_sigaltstack(const stack_t *stack, stack_t *old)
{
	return refused(&altstack_refusal) ? -1 : __real_sigaltstack(stack, old);
}

int __wrap_prctl(int option, ...)
{
	unsigned long arg;
	va_list args;

	va_start(args, option);
	arg = va_arg(args, unsigned long);
	va_end(args);
	return refused(&prctl_refusal) ? -1 : __real_prctl(option, arg);
}

int __wrap_pidfd_open(pid_t pid, unsigned int flags)
{
	return refused(&pidfd_refusal) ? -1 : __real_pidfd_open(pid, flags);
}

/* What a futex may do to who waits: nothing is wrong, and it returns. */
static bool is_teased(const unsigned long *arg)
{
	static atomic_ulong number;
	uint64_t state = atomic_fetch_add(&number, 1) * 0x9e3779b97f4a7c15 | 1;

	if (!atomic_load(&futexes_tease) ||
	    (arg[1] & FUTEX_CMD_MASK) != FUTEX_WAIT_BITSET)
		return false;
	harsh_draw(&state, 1);
	switch (harsh_draw(&state, 4)) {
	case 0:
		errno = EINTR;
		return true;
	case 1:
		errno = 0;
		return true;
	case 2:
		/* Whatever was about to happen has happened. */
		usleep(50);
	}
	return false;
}

long __wrap_syscall(long number, ...)
{
	unsigned long arg[6];
	va_list args;
	int i;

	va_start(args, number);
	for (i = 0; i < 6; i++)
		arg[i] = va_arg(args, unsigned long);
	va_end(args);
	if (number == SYS_futex && is_teased(arg))
		return errno ? -1 : 0;
	if (number == SYS_membarrier &&
	    refused(arg[0] == MEMBARRIER_CMD_PRIVATE_EXPEDITED ?
			    &barrier_refusal :
			    &register_refusal))
		return -1;
	return __real_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4],
			      arg[5]);
}

/* How many threads the process has. */
static int count_threads(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	int n = 0;

	CHECK(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "Threads: %d", &n);
	fclose(file);
	return n;
}

/* Those that were joined may be on their way out for a moment. */
static void check_alone(void)
{
	int64_t end = test_now() + 5 * SEC;

	while (count_threads() > 1)
		CHECK(test_now() < end);
}

static void hush(void)
{
	/* What is said about failures is checked elsewhere. */
	CHECK(freopen("/dev/null", "w", stderr));
}

/*
 * One call fails, of all that the scenario makes: the later ones are sampled.
 * Some are always made at least `least` times.
 */
static void refuse_each_once(struct refusal *r, int err, int least)
{
	const char *where;
	int reported = 0;
	int nth;
	int result;

	r->err = err;
	for (nth = 1;; nth += 1 + nth / 16) {
		atomic_store(&r->calls, 0);
		atomic_store(&r->nth, nth);
		result = harsh_scenario(&where);
		if (atomic_exchange(&r->nth, 0) > 0)
			break;
		reported += result < 0;
		check_alone();
		result = harsh_scenario(&where);
		if (result)
			test_fail(__FILE__, __LINE__, "after call %d: %s is %d",
				  nth, where, result);
		check_alone();
	}
	test_note("%s: %d calls, %d were reported", strerrorname_np(err),
		  nth - 1, reported);
	CHECK(nth > least);
}

static void madvise_once(void)
{
	hush();
	refuse_each_once(&madvise_refusal, ENOMEM, 2);
	refuse_each_once(&madvise_refusal, EINVAL, 2);
	refuse_each_once(&madvise_refusal, ENOSYS, 2);
}

static void process_madvise_once(void)
{
	hush();
	refuse_each_once(&process_refusal, ENOMEM, 1);
	refuse_each_once(&process_refusal, EINVAL, 1);
	refuse_each_once(&process_refusal, ENOSYS, 1);
}

/* Without batches each guard is a call of its own. */
static void madvise_of_a_guard_once(void)
{
	hush();
	refuse(&process_refusal, ENOSYS);
	refuse_each_once(&madvise_refusal, ENOMEM, 64);
}

static void mprotect_once(void)
{
	hush();
	CHECK_EQ(setenv("FIBER_FORCE", "guard=protect", 1), 0);
	refuse_each_once(&mprotect_refusal, ENOMEM, 64);
}

static void threads_once(void)
{
	hush();
	refuse_each_once(&thread_refusal, EAGAIN, 3);
}

static void check_goes_without(struct refusal *r, int err)
{
	const char *where;
	int result;

	refuse(r, err);
	atomic_store(&r->calls, 0);
	result = harsh_scenario(&where);
	if (result)
		test_fail(__FILE__, __LINE__, "%s: %s is %d",
			  strerrorname_np(err), where, result);
	CHECK(atomic_load(&r->calls) > 0);
	refuse(r, 0);
}

static void no_process_madvise(void)
{
	check_goes_without(&process_refusal, ENOSYS);
	check_goes_without(&process_refusal, EPERM);
	check_goes_without(&process_refusal, EINVAL);
}

static void no_pidfd_open(void)
{
	check_goes_without(&pidfd_refusal, ENOSYS);
	check_goes_without(&pidfd_refusal, EPERM);
	check_goes_without(&pidfd_refusal, EMFILE);
}

/* As before Linux 6.13, and as in kernels that advise about nothing. */
static void no_advice(void)
{
	refuse(&process_refusal, EINVAL);
	check_goes_without(&madvise_refusal, EINVAL);
	refuse(&process_refusal, ENOSYS);
	check_goes_without(&madvise_refusal, ENOSYS);
}

static void no_sigaltstack(void)
{
	hush();
	check_goes_without(&altstack_refusal, ENOMEM);
	check_goes_without(&altstack_refusal, EPERM);
}

static void no_prctl(void)
{
	check_goes_without(&prctl_refusal, EPERM);
	check_goes_without(&prctl_refusal, ENOSYS);
}

static int return_five(void *arg)
{
	(void)arg;
	return 5;
}

static void starve(int err)
{
	struct fiber_config config = { .size = sizeof(config), .workers = 2 };
	struct fiber_status status = { .size = sizeof(status) };
	struct fiber *fiber;
	struct fiber *second;

	refuse(&madvise_refusal, err);
	CHECK_EQ(fiber_start(&config), 0);
	fiber = spawn(return_five, NULL);
	do {
		fiber_yield();
		CHECK_EQ(fiber_status(&status), 0);
	} while (!status.starved || !status.why[0]);
	CHECK_EQ(fiber_try_join(fiber, NULL), -EAGAIN);
	CHECK_EQ(fiber_join_until(fiber, NULL, fiber_after(MSEC)), -ETIMEDOUT);
	/* It is tried again now and then: not each time is there a fiber
	   without a stack. */
	while (fiber_spawn(&second, return_five, NULL, NULL) != -ENOMEM)
		fiber_put(second);
	refuse(&madvise_refusal, 0);
	CHECK_EQ(join(fiber), 5);
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
}

/* A fiber for which there is no stack runs when there is one. */
static void no_stack_for_a_while(void)
{
	hush();
	starve(ENOMEM);
}

/* Locks, without that a sleeper can make others pass a barrier. */

#define HAMMERS 8
#define BLOWS ROUNDS(2000)

static int hammer(void *arg)
{
	int value = 1;
	int i;

	for (i = 0; i < BLOWS; i++) {
		CHECK_EQ(fiber_send(arg, &value), 0);
		CHECK_EQ(fiber_recv(arg, &value), 0);
	}
	return 0;
}

static void *hammer_from_thread(void *arg)
{
	hammer(arg);
	return NULL;
}

static int hammer_all(void *arg)
{
	struct fiber_chan *chan = new_chan(sizeof(int), HAMMERS + 2);
	struct fiber *fibers[HAMMERS];
	pthread_t threads[2];
	int i;

	(void)arg;
	for (i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, hammer_from_thread,
					chan),
			 0);
	for (i = 0; i < HAMMERS; i++)
		fibers[i] = spawn(hammer, chan);
	for (i = 0; i < HAMMERS; i++)
		CHECK_EQ(join(fibers[i]), 0);
	for (i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(fiber_chan_len(chan), 0);
	fiber_chan_put(chan);
	return 0;
}

static void lock_without_barrier(struct refusal *r, int err)
{
	struct fiber_config config = { .size = sizeof(config), .workers = 4 };
	uint64_t seed = harsh_seed();

	refuse(r, err);
	atomic_store(&barrier_refusal.calls, 0);
	CHECK_EQ(fiber_run(hammer_all, NULL, &config), 0);
	harsh_traffic(4, 0, harsh_time(SEC / 5, 8), seed);
	test_note("%d barriers were wanted",
		  atomic_load(&barrier_refusal.calls));
	refuse(r, 0);
}

static void no_barrier_from_the_start(void)
{
	lock_without_barrier(&register_refusal, ENOSYS);
	CHECK_EQ(atomic_load(&barrier_refusal.calls), 0);
	lock_without_barrier(&register_refusal, EPERM);
	CHECK_EQ(atomic_load(&barrier_refusal.calls), 0);
}

static void no_barrier_later(void)
{
	lock_without_barrier(&barrier_refusal, ENOSYS);
	lock_without_barrier(&barrier_refusal, EPERM);
}

static void futexes_that_tease(void)
{
	uint64_t seed = harsh_seed();

	atomic_store(&futexes_tease, true);
	harsh_traffic(1, 0, harsh_time(SEC / 4, 8), seed);
	harsh_traffic(2, 0, harsh_time(SEC / 4, 8), seed);
	harsh_traffic(4, 0, harsh_time(SEC / 4, 8), seed);
	harsh_traffic(4, FIBER_TEST_MIGRATE, harsh_time(SEC / 4, 8), seed);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(madvise_once),
		TEST(process_madvise_once),
		TEST(madvise_of_a_guard_once),
		TEST(mprotect_once),
		TEST(threads_once),
		TEST(no_process_madvise),
		TEST(no_pidfd_open),
		TEST(no_advice),
		TEST(no_sigaltstack),
		TEST(no_prctl),
		TEST(no_stack_for_a_while),
		TEST(no_barrier_from_the_start),
		TEST(no_barrier_later),
		TEST(futexes_that_tease),
	};

	return RUN(argc, argv, tests);
}
