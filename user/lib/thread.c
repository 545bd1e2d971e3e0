// SPDX-License-Identifier: MIT
/*
 * Making threads.
 */
#include <signal.h>
#include <string.h>

#include "thread.h"

/* Those that an instruction causes are not sent, and a profiler's are wanted. */
static void block_signals(sigset_t *before)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGTRAP);
	sigdelset(&set, SIGSYS);
	sigdelset(&set, SIGABRT);
	sigdelset(&set, SIGPROF);
	pthread_sigmask(SIG_SETMASK, &set, before);
}

int _fiber_thread_start(pthread_t *thread, void *(*fn)(void *), void *arg,
			size_t stack_size, struct fiber_why *why)
{
	pthread_attr_t attr;
	sigset_t before;
	int err = pthread_attr_init(&attr);

	if (!err) {
		/* A libc with large thread-local memory wants more: then its
		   default. */
		if (stack_size)
			(void)pthread_attr_setstacksize(&attr, stack_size);
		block_signals(&before);
		err = pthread_create(thread, &attr, fn, arg);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		pthread_attr_destroy(&attr);
	}
	if (err)
		return _fiber_why(why, -err, "no more threads: %s",
				  strerror(err));
	return 0;
}
