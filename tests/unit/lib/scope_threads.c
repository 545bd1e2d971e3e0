// SPDX-License-Identifier: MIT
/*
 * Threads that run no fibers own scopes, add to those of others, and cancel them.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "runtime.h"
#include "scopes.h"

#define THREADS 4

static struct fiber_chan *never;
static atomic_int ended;

static int wait_for_it(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	atomic_fetch_add(&ended, 1);
	return -ECANCELED;
}

static int end_soon(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_sleep(MSEC), 0);
	atomic_fetch_add(&ended, 1);
	return 3;
}

static int fail_soon(void *arg)
{
	CHECK_EQ(end_soon(arg), 3);
	return -EIO;
}

static void *own_some(void *arg)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	int before = atomic_load(&ended);

	(void)arg;
	for (int i = 0; i < 5; i++)
		scope_go(scope, end_soon, NULL);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	CHECK_EQ(atomic_load(&ended), before + 5);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	scope_go(scope, wait_for_it, NULL);
	CHECK_EQ(fiber_scope_wait_until(scope, fiber_after(MSEC)), -ETIMEDOUT);
	scope_go(scope, fail_soon, NULL);
	CHECK_EQ(fiber_scope_wait(scope), -EIO);
	CHECK_EQ(atomic_load(&ended), before + 7);
	fiber_scope_free(scope);

	scope = new_scope(FIBER_SCOPE_ANY, fiber_after(200 * MSEC));
	scope_go(scope, wait_for_it, NULL);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	fiber_scope_free(scope);

	/* Its deadline is only the wait's. */
	scope = new_scope(FIBER_SCOPE_ALL, 0);
	CHECK_EQ(fiber_deadline_push(fiber_after(200 * MSEC)), FIBER_FOREVER);
	scope_go(scope, wait_for_it, NULL);
	CHECK_EQ(fiber_scope_wait(scope), -ETIMEDOUT);
	CHECK_EQ(fiber_cancelled(), 0);
	fiber_scope_free(scope);
	CHECK(fiber_deadline() <= fiber_now());
	fiber_deadline_pop(FIBER_FOREVER);

	/* And this one it leaves when it ends. */
	scope = new_scope(FIBER_SCOPE_ALL, 0);
	scope_go(scope, wait_for_it, NULL);
	return NULL;
}

static void are_owners(void)
{
	static const unsigned int workers[] = { 1, 3 };

	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		runtime_start(workers[i], 0);
		never = new_chan(0, 0);
		own_some(NULL);
		CHECK_EQ(fiber_thread_detach(), 0);
		runtime_in_thread(own_some, NULL);
		CHECK_EQ(atomic_load(&ended), 20);
		atomic_store(&ended, 0);
		check_idle(never);
		fiber_chan_put(never);
		runtime_stop();
	}
}

static int end_cancelled(void *masked)
{
	CHECK_EQ(fiber_recv(never, NULL), -ECANCELED);
	if (masked)
		CHECK_EQ(fiber_cancel_mask(1), 0);
	return 0;
}

static void *use_what_is_left(void *arg)
{
	struct fiber_scope *scope;

	CHECK_EQ(fiber_deadline_push(fiber_after(HOUR)), FIBER_FOREVER);
	CHECK(fiber_deadline() < FIBER_FOREVER);
	fiber_deadline_pop(FIBER_FOREVER);
	scope = new_scope(FIBER_SCOPE_ALL, 0);
	scope_go(scope, wait_for_it, NULL);
	fiber_scope_free(scope);
	CHECK_EQ(fiber_sleep(1), 0);
	return arg;
}

/* A thread may be known by what a fiber was that has been cancelled. */
static void follow_fibers(void)
{
	struct fiber *fibers[200];

	runtime_start(1, 0);
	never = new_chan(0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(fibers); i++)
		fibers[i] = spawn(end_cancelled, i % 2 ? &ended : NULL);
	for (size_t i = 0; i < ARRAY_SIZE(fibers); i++) {
		CHECK_EQ(fiber_cancel(fibers[i], 1), 0);
		CHECK_EQ(join(fibers[i]), 0);
	}
	for (int i = 0; i < 10; i++)
		runtime_in_thread(use_what_is_left, NULL);
	fiber_chan_put(never);
	runtime_stop();
}

static void *add_some(void *scope)
{
	for (int i = 0; i < 50; i++)
		scope_go(scope, end_soon, NULL);
	return NULL;
}

static void *cancel_it(void *scope)
{
	CHECK_EQ(fiber_scope_cancel(scope, 5), 0);
	return NULL;
}

static void add_and_cancel(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);
	pthread_t threads[THREADS];

	atomic_store(&ended, 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, add_some, scope), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	CHECK_EQ(atomic_load(&ended), THREADS * 50);
	scope_go(scope, wait_for_it, NULL);
	CHECK_EQ(pthread_create(&threads[0], NULL, cancel_it, scope), 0);
	CHECK_EQ(fiber_scope_wait(scope), -ECANCELED);
	CHECK_EQ(pthread_join(threads[0], NULL), 0);
	fiber_scope_free(scope);
}

static void in_main(void)
{
	never = new_chan(0, 0);
	add_and_cancel();
	check_idle(never);
	fiber_chan_put(never);
}

static void add_to_others(void)
{
	run_shapes(0, in_main);
}

/* The first call starts the library. */
static void start_it(void)
{
	struct fiber_scope *scope = new_scope(FIBER_SCOPE_ALL, 0);

	atomic_store(&ended, 0);
	scope_go(scope, end_soon, NULL);
	CHECK_EQ(fiber_scope_wait(scope), 0);
	CHECK_EQ(atomic_load(&ended), 1);
	fiber_scope_free(scope);
	CHECK_EQ(fiber_thread_detach(), 0);
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(are_owners),
		TEST(follow_fibers),
		TEST(add_to_others),
		TEST(start_it),
	};

	return RUN(argc, argv, tests);
}
