// SPDX-License-Identifier: MIT
/*
 * Programs of which a part hangs, or of which all hang but for threads that may do
 * anything some time; and where that is no reason not to be certain.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadlocks.h"

static struct fiber_mutex a = FIBER_MUTEX_INIT;
static struct fiber_mutex b = FIBER_MUTEX_INIT;
static struct fiber_rwlock x = FIBER_RWLOCK_INIT;
static struct fiber_rwlock y = FIBER_RWLOCK_INIT;
static struct fiber_event event = FIBER_EVENT_INIT;
static struct fiber_event ready = FIBER_EVENT_INIT;
static struct fiber_event begun = FIBER_EVENT_INIT;
static struct fiber_barrier both = FIBER_BARRIER_INIT(2);
static struct fiber *one;
static struct fiber *two;

static int wait_for_event(void *arg)
{
	(void)arg;
	return fiber_event_wait(&event);
}

static int lock_a_then_b(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	CHECK(fiber_barrier_wait(&both) >= 0);
	return fiber_mutex_lock(&b);
}

static int lock_b_then_a(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&b), 0);
	CHECK(fiber_barrier_wait(&both) >= 0);
	return fiber_mutex_lock(&a);
}

/* For ever, in many small steps. */
static int busily(void)
{
	while (!fiber_sleep(MSEC))
		;
	return 0;
}

static int mutexes(void *arg)
{
	(void)arg;
	deadlocks_spawn("one", lock_a_then_b);
	deadlocks_spawn("two", lock_b_then_a);
	return busily();
}

static int lock_and_end(void *arg)
{
	(void)arg;
	return fiber_mutex_lock(&a);
}

static int lock_when_ready(void *arg)
{
	CHECK_EQ(fiber_event_wait(&ready), 0);
	return lock_and_end(arg);
}

static int owner_ended(void *arg)
{
	(void)arg;
	deadlocks_spawn("two", lock_when_ready);
	CHECK_EQ(join(deadlocks_spawn("one", lock_and_end)), 0);
	CHECK_EQ(fiber_event_set(&ready), 0);
	return busily();
}

static int write_x_then_y(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_rwlock_wrlock(&x), 0);
	CHECK(fiber_barrier_wait(&both) >= 0);
	return fiber_rwlock_wrlock(&y);
}

static int write_y_then_x(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_rwlock_wrlock(&y), 0);
	CHECK(fiber_barrier_wait(&both) >= 0);
	return fiber_rwlock_rdlock(&x);
}

static int rwlocks(void *arg)
{
	(void)arg;
	deadlocks_spawn("one", write_x_then_y);
	deadlocks_spawn("two", write_y_then_x);
	return busily();
}

static int join_two(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_event_wait(&ready), 0);
	return join(two);
}

static int join_one(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_event_wait(&ready), 0);
	return join(one);
}

static int joins(void *arg)
{
	(void)arg;
	one = deadlocks_spawn("one", join_two);
	two = deadlocks_spawn("two", join_one);
	CHECK_EQ(fiber_event_set(&ready), 0);
	return busily();
}

static int grandchild(void *arg)
{
	(void)arg;
	return fiber_mutex_lock(&a);
}

static int child(void *arg)
{
	struct fiber_scope *scope;

	(void)arg;
	CHECK_EQ(fiber_scope_new(&scope, NULL), 0);
	CHECK_EQ(fiber_scope_go(scope, grandchild, NULL), 0);
	return fiber_scope_wait(scope);
}

static int parent(void *arg)
{
	struct fiber_scope *scope;

	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	CHECK_EQ(fiber_scope_new(&scope, NULL), 0);
	/* The cycle is by way of one of them. */
	CHECK_EQ(fiber_scope_go(scope, wait_for_event, NULL), 0);
	CHECK_EQ(fiber_scope_go(scope, child, NULL), 0);
	CHECK_EQ(fiber_scope_go(scope, wait_for_event, NULL), 0);
	return fiber_scope_wait(scope);
}

static int scopes(void *arg)
{
	(void)arg;
	deadlocks_spawn("parent", parent);
	return busily();
}

static struct fiber_once once = FIBER_ONCE_INIT;

static void join_it(void *arg)
{
	CHECK_EQ(fiber_event_set(&begun), 0);
	CHECK_EQ(join(arg), 0);
}

static int once_joins(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_event_wait(&ready), 0);
	return fiber_once(&once, join_it, two);
}

static int lock_then_once(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	CHECK_EQ(fiber_event_set(&ready), 0);
	CHECK_EQ(fiber_event_wait(&begun), 0);
	return fiber_once(&once, join_it, NULL);
}

static int of_three_kinds(void *arg)
{
	(void)arg;
	two = deadlocks_spawn("two", lock_then_once);
	deadlocks_spawn("one", once_joins);
	return busily();
}

/* Behind the cycle are others, who wait for it. */
static int with_followers(void *arg)
{
	int i;

	(void)arg;
	deadlocks_spawn("one", lock_a_then_b);
	deadlocks_spawn("two", lock_b_then_a);
	CHECK_EQ(fiber_sleep(2 * MSEC), 0);
	for (i = 0; i < 50; i++)
		deadlocks_spawn("follower", lock_and_end);
	return busily();
}

/* As they go on until the process ends. */
static void *thread_locks_and_joins(void *arg)
{
	CHECK_EQ(fiber_mutex_lock(&b), 0);
	CHECK(fiber_barrier_wait(&both) >= 0);
	CHECK_EQ(fiber_mutex_lock(&a), 0);
	return arg;
}

static int with_a_thread(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, thread_locks_and_joins, arg), 0);
	deadlocks_spawn("one", lock_a_then_b);
	return busily();
}

/* One is in the kernel, and may do something some time. */
static int beside_a_blocked_one(void *arg)
{
	(void)arg;
	deadlocks_spawn("one", lock_a_then_b);
	deadlocks_spawn("two", lock_b_then_a);
	pause();
	return 0;
}

/* Threads that are there, and in no call of the library. */
static void main_thread_waits_elsewhere(void)
{
	deadlocks_start();
	deadlocks_spawn("one", wait_for_event);
	pause();
}

static void *in_the_kernel(void *arg)
{
	pause();
	return arg;
}

static int a_thread_waits_elsewhere(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, in_the_kernel, NULL), 0);
	return wait_for_event(arg);
}

static int sleeps_for_ever(void *arg)
{
	(void)arg;
	deadlocks_spawn("one", wait_for_event);
	return fiber_sleep(FIBER_FOREVER);
}

static int selects_for_ever(void *arg)
{
	(void)arg;
	deadlocks_spawn("one", wait_for_event);
	return fiber_select(NULL, 0, 0);
}

static void *wait_in_thread(void *arg)
{
	CHECK_EQ(fiber_event_wait(arg), 0);
	return NULL;
}

static void threads_wait(void)
{
	pthread_t thread;

	deadlocks_start();
	deadlocks_spawn("one", wait_for_event);
	CHECK_EQ(pthread_create(&thread, NULL, wait_in_thread, &event), 0);
	wait_in_thread(&ready);
}

static void threads_only(void)
{
	pthread_t thread;

	deadlocks_start();
	CHECK_EQ(pthread_create(&thread, NULL, thread_locks_and_joins, NULL),
		 0);
	lock_a_then_b(NULL);
}

static void *end_later(void *arg)
{
	if (arg)
		CHECK_EQ(fiber_sleep(40 * MSEC), 0);
	else
		usleep(40000);
	return NULL;
}

/* The last one that could have woken one ends, and does not. */
static int known_thread_ends(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, end_later, &event), 0);
	return wait_for_event(arg);
}

static int foreign_thread_ends(void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, end_later, NULL), 0);
	return wait_for_event(arg);
}

/* All that have seats sleep by then. */
static int block_for_a_while(void *arg)
{
	fiber_blocking_begin();
	usleep(40000);
	fiber_blocking_end();
	return wait_for_event(arg);
}

static int was_blocked(void *arg)
{
	deadlocks_spawn("one", block_for_a_while);
	return wait_for_event(arg);
}

static void main_thread_comes_late(void)
{
	deadlocks_start();
	one = deadlocks_spawn("one", wait_for_event);
	usleep(40000);
	join(one);
}

static void after_another_runtime(void)
{
	deadlocks_start();
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
	main_thread_comes_late();
}

static void run_again(void)
{
	static struct fiber_config config = { .size = sizeof(config) };

	_exit(fiber_run(wait_for_event, NULL, &config));
}

/* It is the child that is reported, and whose end this is. */
static int in_a_child(void *arg)
{
	int status;
	pid_t pid;

	(void)arg;
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		run_again();
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		kill(getpid(), WTERMSIG(status));
	return 0;
}

/* Of what has no owner nobody can know who would have come. */
static int part_of_a_channel(void *arg)
{
	(void)arg;
	deadlocks_spawn("one", wait_for_event);
	return fiber_sleep(120 * MSEC);
}

static int part_of_a_group(void *arg)
{
	static struct fiber_barrier never = FIBER_BARRIER_INIT(3);

	(void)arg;
	deadlocks_go_on();
	return fiber_barrier_wait_until(&never, fiber_after(120 * MSEC)) !=
	       -ETIMEDOUT;
}

static const struct deadlock_case cases[] = {
#define CASE(class, fn, who, call)                          \
	{                                                   \
#fn, class, fn, NULL, who, call, 0, 0, NULL \
	}
#define THREAD(class, fn, who, call)                        \
	{                                                   \
#fn, class, NULL, fn, who, call, 0, 0, NULL \
	}
	CASE(CYCLE, mutexes, "'one'", "fiber_mutex_lock"),
	CASE(CYCLE, owner_ended, "'two'", "fiber_mutex_lock"),
	CASE(CYCLE, rwlocks, "'two'", "fiber_rwlock_rdlock"),
	CASE(CYCLE, joins, "'two'", "fiber_join"),
	CASE(CYCLE, scopes, "'parent'", "fiber_scope_wait"),
	CASE(CYCLE, of_three_kinds, "'two'", "fiber_once"),
	CASE(CYCLE, with_followers, "'two'", "fiber_mutex_lock"),
	CASE(CYCLE, with_a_thread, "'one'", "fiber_mutex_lock"),
	CASE(CYCLE, beside_a_blocked_one, "'one'", "fiber_mutex_lock"),
	{ "when_idle", CYCLE, beside_a_blocked_one, NULL, "'one'",
	  "fiber_mutex_lock", 0, 0, "deadlock=report" },
	THREAD(STALLED, main_thread_waits_elsewhere, "'one'",
	       "fiber_event_wait"),
	CASE(STALLED, a_thread_waits_elsewhere, "'main'", "fiber_event_wait"),
	CASE(STALLED, sleeps_for_ever, "'one'", "fiber_event_wait"),
	CASE(STALLED, selects_for_ever, "'one'", "fiber_event_wait"),
	THREAD(CERTAIN, threads_wait, "'one'", "fiber_event_wait"),
	THREAD(CERTAIN, threads_only, "fiber:   thread ", NULL),
	CASE(CERTAIN, known_thread_ends, "'main'", "fiber_event_wait"),
	CASE(CERTAIN, foreign_thread_ends, "'main'", "fiber_event_wait"),
	CASE(CERTAIN, was_blocked, "'one'", "fiber_event_wait"),
	THREAD(CERTAIN, main_thread_comes_late, "'one'", "fiber_event_wait"),
	THREAD(CERTAIN, after_another_runtime, "'one'", "fiber_event_wait"),
	CASE(CERTAIN, in_a_child, "fiber:   thread ", NULL),
	CASE(UNKNOWABLE, part_of_a_channel, NULL, NULL),
	CASE(UNKNOWABLE, part_of_a_group, NULL, NULL),
};

static void each_in_its_class(void)
{
	deadlocks_score(cases, ARRAY_SIZE(cases));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(each_in_its_class),
	};

	return RUN(argc, argv, tests);
}
