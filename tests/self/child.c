// SPDX-License-Identifier: MIT
/* Children and threads of a test; the contract is in child.h. */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "child.h"

bool gate_make(struct gate *gate)
{
	return !pipe2(gate->fd, O_CLOEXEC);
}

void gate_open(struct gate *gate, int times)
{
	while (times-- > 0)
		if (write(gate->fd[1], "", 1) != 1)
			_exit(99);
}

void gate_wait(struct gate *gate)
{
	char byte;

	if (read(gate->fd[0], &byte, 1) != 1)
		_exit(99);
}

bool gate_wait_ms(struct gate *gate, int timeout_ms)
{
	struct pollfd pfd = { .fd = gate->fd[0], .events = POLLIN };

	if (poll(&pfd, 1, timeout_ms) != 1)
		return false;
	gate_wait(gate);
	return true;
}

void gate_close(struct gate *gate)
{
	close(gate->fd[0]);
	close(gate->fd[1]);
}

pid_t child_start(int (*body)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(body(arg));
}

int child_wait(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

void child_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	child_wait(pid);
}

int child_run(int (*body)(void *arg), void *arg)
{
	pid_t pid = child_start(body, arg);
	int status = pid < 0 ? -1 : child_wait(pid);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool become(uid_t id)
{
	return !setgroups(0, NULL) && !setresgid(id, id, id) &&
	       !setresuid(id, id, id) && !prctl(PR_SET_DUMPABLE, 1) &&
	       !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void spin_ns(uint64_t ns)
{
	uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 10000; i++)
			;
}

void sleep_ns(uint64_t ns)
{
	struct timespec t = { .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };

	while (nanosleep(&t, &t))
		;
}

pid_t gettid_(void)
{
	return syscall(SYS_gettid);
}

void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

bool threads_start(int n, void *(*body)(void *arg), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool ok = true;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 4 * PTHREAD_STACK_MIN);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	while (ok && n-- > 0)
		ok = !pthread_create(&thread, &attr, body, arg);
	pthread_attr_destroy(&attr);
	return ok;
}

int sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

void *sleep_for_ever_thread(void *arg)
{
	sleep_for_ever(arg);
	return NULL;
}
