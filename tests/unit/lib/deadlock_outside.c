// SPDX-License-Identifier: MIT
/*
 * Programs whose fibers all wait, until a thread from outside, the kernel, or one
 * that was blocked in it wakes them: nothing is said, and they end by themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "deadlocks.h"

#define WHILE_MS 40
#define WHILE (WHILE_MS * MSEC)

static struct fiber_event event = FIBER_EVENT_INIT;
static struct fiber_sem sem = FIBER_SEM_INIT(0);
static struct fiber_chan *chan;
static struct fiber *one;

static int wait_for_event(void *arg)
{
	(void)arg;
	return fiber_event_wait(&event);
}

static void block_a_while(void)
{
	usleep(WHILE_MS * 1000);
}

static void *set_later(void *arg)
{
	block_a_while();
	CHECK_EQ(fiber_event_set(arg), 0);
	return NULL;
}

static int thread_wakes(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, set_later, &event), 0);
	CHECK_EQ(wait_for_event(arg), 0);
	return pthread_join(thread, NULL);
}

static void *sleep_and_set(void *arg)
{
	CHECK_EQ(fiber_sleep(WHILE), 0);
	CHECK_EQ(fiber_event_set(arg), 0);
	return NULL;
}

static int sleeping_thread_wakes(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, sleep_and_set, &event), 0);
	CHECK_EQ(wait_for_event(arg), 0);
	return pthread_join(thread, NULL);
}

static void *time_out_and_set(void *arg)
{
	struct fiber_event never = FIBER_EVENT_INIT;

	CHECK_EQ(fiber_event_wait_until(&never, fiber_after(WHILE)),
		 -ETIMEDOUT);
	CHECK_EQ(fiber_event_set(arg), 0);
	return NULL;
}

static int waiting_thread_wakes(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, time_out_and_set, &event), 0);
	CHECK_EQ(wait_for_event(arg), 0);
	return pthread_join(thread, NULL);
}

static void *ambient_and_set(void *arg)
{
	struct fiber_event never = FIBER_EVENT_INIT;
	int64_t before = fiber_deadline_push(fiber_after(WHILE));

	CHECK_EQ(fiber_event_wait(&never), -ETIMEDOUT);
	fiber_deadline_pop(before);
	CHECK_EQ(fiber_event_set(arg), 0);
	return NULL;
}

static int limited_thread_wakes(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, ambient_and_set, &event), 0);
	CHECK_EQ(wait_for_event(arg), 0);
	return pthread_join(thread, NULL);
}

static void main_thread_wakes(void)
{
	deadlocks_start();
	one = deadlocks_spawn("one", wait_for_event);
	block_a_while();
	CHECK_EQ(fiber_event_set(&event), 0);
	CHECK_EQ(join(one), 0);
}

static int drain(void *arg)
{
	int value;

	(void)arg;
	while (!fiber_recv(chan, &value))
		;
	return 0;
}

static void idle_server(void)
{
	int i;

	deadlocks_start();
	chan = deadlocks_chan(0);
	one = deadlocks_spawn("server", drain);
	for (i = 0; i < 3; i++) {
		block_a_while();
		CHECK_EQ(fiber_send(chan, &i), 0);
	}
	CHECK_EQ(fiber_chan_close(chan), 0);
	CHECK_EQ(join(one), 0);
}

static void *relay(void *arg)
{
	pthread_t thread;

	if (arg) {
		CHECK_EQ(pthread_create(&thread, NULL, relay, NULL), 0);
		CHECK_EQ(pthread_detach(thread), 0);
		return NULL;
	}
	return set_later(&event);
}

/* The one that wakes was made by one that has ended. */
static int thread_of_a_thread(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, relay, &event), 0);
	CHECK_EQ(pthread_detach(thread), 0);
	return wait_for_event(arg);
}

/* The sanitizer does not know of threads that the C library makes by itself. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define NO_POSIX_TIMER
#endif
#endif

#ifndef NO_POSIX_TIMER
static void notify(union sigval value)
{
	CHECK_EQ(fiber_event_set(value.sival_ptr), 0);
}

/* The C library has a thread for that. */
static int posix_timer(void *arg)
{
	struct sigevent how = { .sigev_notify = SIGEV_THREAD,
				.sigev_notify_function = notify,
				.sigev_value.sival_ptr = &event };
	struct itimerspec when = { .it_value.tv_nsec = WHILE };
	timer_t timer;

	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &how, &timer), 0);
	CHECK_EQ(timer_settime(timer, 0, &when, NULL), 0);
	return wait_for_event(arg);
}
#endif

static void *await_signal(void *arg)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(sigwait(&set, &sig), 0);
	CHECK_EQ(fiber_event_set(arg), 0);
	return NULL;
}

static int signalled_thread(void *arg)
{
	pthread_t thread;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_EQ(pthread_create(&thread, NULL, await_signal, &event), 0);
	one = deadlocks_spawn("one", wait_for_event);
	block_a_while();
	CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
	(void)arg;
	return join(one);
}

/* Fibers in the kernel. */
static int fds[2];

static int read_and_set(void *arg)
{
	char byte;

	(void)arg;
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	return fiber_event_set(&event);
}

static pid_t write_later(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	usleep(WHILE_MS * 1000);
	_exit(write(fds[1], "x", 1) != 1);
}

static int blocked_in_read(void *arg)
{
	pid_t pid;

	CHECK_EQ(pipe(fds), 0);
	pid = write_later();
	one = deadlocks_spawn("one", read_and_set);
	CHECK_EQ(wait_for_event(arg), 0);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	return join(one);
}

static int read_announced(void *arg)
{
	fiber_blocking_begin();
	CHECK_EQ(read_and_set(arg), 0);
	fiber_blocking_end();
	return 0;
}

static int blocked_as_announced(void *arg)
{
	pid_t pid;

	CHECK_EQ(pipe(fds), 0);
	pid = write_later();
	one = deadlocks_spawn("one", read_announced);
	CHECK_EQ(wait_for_event(arg), 0);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	return join(one);
}

static int usleep_and_set(void *arg)
{
	(void)arg;
	block_a_while();
	return fiber_event_set(&event);
}

static int blocked_in_usleep(void *arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		CHECK_EQ(fiber_event_clear(&event), 0);
		one = deadlocks_spawn("one", usleep_and_set);
		CHECK_EQ(wait_for_event(arg), 0);
		CHECK_EQ(join(one), 0);
	}
	return 0;
}

static int fd_of_lock;

static int flock_and_set(void *arg)
{
	(void)arg;
	CHECK_EQ(flock(fd_of_lock, LOCK_EX), 0);
	return fiber_event_set(&event);
}

static int open_lock(const char *name)
{
	int fd = open(name, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static int blocked_in_flock(void *arg)
{
	char name[] = "/tmp/deadlock-XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	fd_of_lock = open_lock(name);
	CHECK_EQ(unlink(name), 0);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	one = deadlocks_spawn("one", flock_and_set);
	CHECK_EQ(fiber_sleep(WHILE), 0);
	CHECK_EQ(flock(fd, LOCK_UN), 0);
	CHECK_EQ(wait_for_event(arg), 0);
	return join(one);
}

static pthread_mutex_t posix = PTHREAD_MUTEX_INITIALIZER;

static int posix_and_set(void *arg)
{
	(void)arg;
	CHECK_EQ(pthread_mutex_lock(&posix), 0);
	CHECK_EQ(pthread_mutex_unlock(&posix), 0);
	return fiber_event_set(&event);
}

static void *hold_a_while(void *arg)
{
	CHECK_EQ(pthread_mutex_lock(&posix), 0);
	CHECK_EQ(fiber_sem_post(&sem), 0);
	block_a_while();
	CHECK_EQ(pthread_mutex_unlock(&posix), 0);
	return arg;
}

static int blocked_in_a_mutex(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, hold_a_while, NULL), 0);
	CHECK_EQ(fiber_sem_wait(&sem), 0);
	one = deadlocks_spawn("one", posix_and_set);
	CHECK_EQ(wait_for_event(arg), 0);
	CHECK_EQ(join(one), 0);
	return pthread_join(thread, NULL);
}

static int waits_for_a_child(void *arg)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		usleep(WHILE_MS * 1000);
		_exit(0);
	}
	(void)arg;
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	return 0;
}

static void *thread_ping(void *arg)
{
	int value;
	int i;

	for (i = 0; i < 300; i++) {
		if (i % 100 == 0)
			block_a_while();
		CHECK_EQ(fiber_send(arg, &i), 0);
		CHECK_EQ(fiber_recv(arg, &value), 0);
	}
	CHECK_EQ(fiber_chan_close(arg), 0);
	return NULL;
}

/* Each waits for the other, hundreds of times, one of them in no fiber. */
static int ping_pong_with_a_thread(void *arg)
{
	pthread_t thread;
	int value;

	(void)arg;
	chan = deadlocks_chan(0);
	CHECK_EQ(pthread_create(&thread, NULL, thread_ping, chan), 0);
	while (!fiber_recv(chan, &value))
		CHECK_EQ(fiber_send(chan, &value), 0);
	return pthread_join(thread, NULL);
}

static void *come_and_go(void *arg)
{
	int i;

	for (i = 0; i < 20; i++) {
		usleep(2000);
		CHECK_EQ(fiber_sem_post(arg), 0);
	}
	return NULL;
}

/* Threads that end as soon as they have woken one. */
static int threads_come_and_go(void *arg)
{
	pthread_t threads[4];
	int i;

	(void)arg;
	for (i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, come_and_go, &sem),
			 0);
	for (i = 0; i < 80; i++)
		CHECK_EQ(fiber_sem_wait(&sem), 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	return 0;
}

/* Virtual time does not jump while one is in the kernel. */
static int virtual_and_blocked(void *arg)
{
	one = deadlocks_spawn("one", usleep_and_set);
	CHECK_EQ(wait_for_event(arg), 0);
	return join(one);
}

static const struct deadlock_case cases[] = {
#define CASE(fn)                                               \
	{                                                      \
#fn, HEALTHY, fn, NULL, NULL, NULL, 0, 0, NULL \
	}
#define ONE_WORKER(fn)                                                   \
	{                                                                \
#fn " of one", HEALTHY, fn, NULL, NULL, NULL, 1, 0, NULL \
	}
#define THREAD(fn)                                             \
	{                                                      \
#fn, HEALTHY, NULL, fn, NULL, NULL, 0, 0, NULL \
	}
	CASE(thread_wakes),
	CASE(sleeping_thread_wakes),
	CASE(waiting_thread_wakes),
	CASE(limited_thread_wakes),
	THREAD(main_thread_wakes),
	THREAD(idle_server),
	CASE(thread_of_a_thread),
#ifndef NO_POSIX_TIMER
	CASE(posix_timer),
#endif
	CASE(signalled_thread),
	CASE(blocked_in_read),
	ONE_WORKER(blocked_in_read),
	CASE(blocked_as_announced),
	CASE(blocked_in_usleep),
	ONE_WORKER(blocked_in_usleep),
	CASE(blocked_in_flock),
	CASE(blocked_in_a_mutex),
	CASE(waits_for_a_child),
	CASE(ping_pong_with_a_thread),
	CASE(threads_come_and_go),
	{ "virtual_and_blocked", HEALTHY, virtual_and_blocked, NULL, NULL, NULL,
	  0, FIBER_TEST_CLOCK, NULL },
};

static void no_false_alarm(void)
{
	deadlocks_score(cases, ARRAY_SIZE(cases));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(no_false_alarm),
	};

	return RUN(argc, argv, tests);
}
