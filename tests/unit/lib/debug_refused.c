// SPDX-License-Identifier: MIT
/*
 * Where a sandbox refuses process_vm_readv(), a dump says so and has the same in
 * it.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fibers.h"

static struct fiber_chan *chan;

/* What the kernel says to it from now on, in threads that are made too. */
static void refuse(int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		test_skip("no seccomp here");
}

static int receive(void *arg)
{
	return fiber_recv(chan, arg);
}

static void *thread_receives(void *arg)
{
	fiber_recv(chan, arg);
	return NULL;
}

static int count_waiting(const struct fiber_info *info, void *arg)
{
	*(int *)arg += info->call == FIBER_CALL_RECV && info->object == chan;
	return 0;
}

static void await_waiting(int wanted)
{
	int n;

	do {
		fiber_yield();
		n = 0;
		CHECK_EQ(fiber_each(count_waiting, &n), 0);
	} while (n < wanted);
}

static void check_dump(void)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	static char said[65536];

	CHECK(fd >= 0);
	CHECK_EQ(fiber_dump(fd, 0), 0);
	CHECK(pread(fd, said, sizeof(said) - 1, 0) > 0);
	close(fd);
	CHECK_IN(said,
		 "fiber: process_vm_readv() is refused: memory is read by "
		 "way of a pipe\n");
	CHECK_IN(said, " 'zaphod', entered at ");
	CHECK_IN(said, ", waits in fiber_recv() for ");
	CHECK_IN(said, "\nthread ");
	CHECK_IN(said, "\n    0x");
}

static void see_all(void)
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = "zaphod" };
	struct fiber *fiber;
	pthread_t thread;

	chan = new_chan(0, 0);
	CHECK_EQ(fiber_spawn(&fiber, receive, NULL, &attr), 0);
	CHECK(!pthread_create(&thread, NULL, thread_receives, NULL));
	await_waiting(2);
	check_dump();
	CHECK_EQ(fiber_chan_close(chan), 0);
	CHECK_EQ(join(fiber), -EPIPE);
	CHECK(!pthread_join(thread, NULL));
	fiber_chan_put(chan);
}

static void by_permission(void)
{
	refuse(EPERM);
	run_shapes(0, see_all);
}

static void as_unknown(void)
{
	refuse(ENOSYS);
	run_shapes(0, see_all);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(by_permission),
		TEST(as_unknown),
	};

	return RUN(argc, argv, tests);
}
