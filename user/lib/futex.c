// SPDX-License-Identifier: MIT
/*
 * The system calls.
 */
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "futex.h"

#define NS 1000000000

/* Whether membarrier() works: written once, before there are two threads. */
static int barrier_err = -ENOSYS;

int _fiber_futex_wait(fiber_word *word, uint32_t seen, int64_t deadline)
{
	struct timespec t;
	struct timespec *limit = NULL;
	int saved = errno;
	int err = 0;

	if (deadline != INT64_MAX) {
		if (deadline < 0)
			deadline = 0;
		t.tv_sec = deadline / NS;
		t.tv_nsec = deadline % NS;
		limit = &t;
	}
	if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
		    seen, limit, NULL, FUTEX_BITSET_MATCH_ANY) &&
	    errno == ETIMEDOUT)
		err = -ETIMEDOUT;
	errno = saved;
	return err;
}

void _fiber_futex_wake(fiber_word *word, int n)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n, NULL, NULL,
		0);
	errno = saved;
}

void _fiber_barrier_init(void)
{
	int saved = errno;

	barrier_err = 0;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
		    0, 0))
		barrier_err = -errno;
	errno = saved;
}

int _fiber_barrier(void)
{
	int saved = errno;
	int err = barrier_err;

	if (!err &&
	    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		err = -errno;
	errno = saved;
	return err;
}
