// SPDX-License-Identifier: MIT
/*
 * Stopping cancels all fibers and waits for them until a deadline.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "harness.h"
#include "runtime.h"

static atomic_int ready;
static atomic_int ended;
static atomic_int over;

static void check_not_running(void)
{
	struct fiber_status status = { .size = sizeof(status) };

	CHECK_EQ(fiber_status(&status), -EPERM);
	CHECK_EQ(fiber_stop_until(FIBER_FOREVER), -EPERM);
}

static int wait_for_cancel(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static void spawn_waiting(int n)
{
	int i;

	atomic_store(&ready, 0);
	atomic_store(&ended, 0);
	for (i = 0; i < n; i++)
		fiber_put(runtime_spawn(wait_for_cancel, NULL));
	runtime_await(&ready, n);
}

static void cancels_and_waits(void)
{
	int i;

	for (i = 0; i < 10; i++) {
		runtime_start(1 + i % 3, 0);
		spawn_waiting(100);
		CHECK_EQ(fiber_stop_until(FIBER_FOREVER), 0);
		CHECK_EQ(atomic_load(&ended), 100);
		check_not_running();
	}
}

static void nothing_to_wait_for(void)
{
	static const int64_t past[] = { 0, INT64_MIN, -1, 1 };
	size_t i;

	for (i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
		runtime_start(2, 0);
		CHECK_EQ(fiber_stop_until(past[i]), 0);
		check_not_running();
	}
}

static int stay(void *arg)
{
	int64_t until = *(const int64_t *)arg;

	CHECK_EQ(fiber_cancel_mask(1), 0);
	atomic_fetch_add(&ready, 1);
	while (fiber_now() < until)
		CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static void stop_too_early(void *arg)
{
	int64_t deadline = fiber_after(20 * RUNTIME_MS);
	int64_t never = FIBER_FOREVER;

	(void)arg;
	runtime_start(2, 0);
	fiber_put(runtime_spawn_named("late", stay, &never));
	runtime_await(&ready, 1);
	CHECK_EQ(fiber_stop_until(deadline), -ETIMEDOUT);
	CHECK(fiber_now() >= deadline);
	check_not_running();
	/* One more runtime, in which it is not, as soon as it lets go. */
	while (fiber_start(NULL) == -EBUSY)
		usleep(1000);
	spawn_waiting(10);
	CHECK_EQ(runtime_status().fibers, 10);
	runtime_stop();
	CHECK_EQ(atomic_load(&ended), 10);
}

static void gives_up_at_the_deadline(void)
{
	char said[4096];

	CHECK_EQ(test_death(stop_too_early, NULL, said, sizeof(said)), 0);
	CHECK_IN(said, "'late'");
}

static void waits_for_those_that_take_long(void)
{
	int64_t late = fiber_after(30 * RUNTIME_MS);

	runtime_start(2, 0);
	fiber_put(runtime_spawn(stay, &late));
	runtime_await(&ready, 1);
	CHECK_EQ(fiber_stop_until(FIBER_FOREVER), 0);
	CHECK_EQ(atomic_load(&ended), 1);
	CHECK(fiber_now() >= late);
}

static int stop_from_inside(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_stop_until(FIBER_FOREVER), -EDEADLK);
	CHECK_EQ(fiber_stop_until(0), -EDEADLK);
	CHECK_EQ(fiber_sleep(1000), 0);
	return 0;
}

static void not_by_a_fiber(void)
{
	runtime_start(2, 0);
	CHECK_EQ(runtime_join(runtime_spawn(stop_from_inside, NULL)), 0);
	runtime_stop();
	runtime_run(1, 0, stop_from_inside, NULL);
}

static void not_if_nothing_runs(void)
{
	check_not_running();
	runtime_start(1, 0);
	runtime_stop();
	check_not_running();
}

static void *stop_in_thread(void *arg)
{
	(void)arg;
	runtime_stop();
	return NULL;
}

static void by_another_thread(void)
{
	runtime_start(2, 0);
	spawn_waiting(10);
	runtime_in_thread(stop_in_thread, NULL);
	CHECK_EQ(atomic_load(&ended), 10);
	check_not_running();
}

/* One does, for the others there is nothing left to stop. */
static void *race_to_stop(void *barrier)
{
	int err;

	pthread_barrier_wait(barrier);
	err = fiber_stop_until(FIBER_FOREVER);
	CHECK(err == 0 || err == -EPERM);
	return (void *)(intptr_t)(err == 0);
}

static void by_several_at_once(void)
{
	pthread_barrier_t barrier;
	pthread_t threads[4];
	int round, stopped, i;
	void *one;

	pthread_barrier_init(&barrier, NULL, 4);
	for (round = 0; round < 20; round++) {
		runtime_start(2, 0);
		spawn_waiting(10);
		stopped = 0;
		for (i = 0; i < 4; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, race_to_stop,
						&barrier),
				 0);
		for (i = 0; i < 4; i++) {
			CHECK_EQ(pthread_join(threads[i], &one), 0);
			stopped += one != NULL;
		}
		CHECK(stopped >= 1);
		CHECK_EQ(atomic_load(&ended), 10);
		check_not_running();
	}
	pthread_barrier_destroy(&barrier);
}

/* Who cleans up may call anything, also what makes no sense then. */
static int start_meanwhile(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	CHECK_EQ(fiber_sleep(FIBER_FOREVER), -ECANCELED);
	CHECK_EQ(fiber_start(NULL), -EBUSY);
	CHECK_EQ(fiber_stop_until(0), -EDEADLK);
	atomic_fetch_add(&ended, 1);
	return 0;
}

static void while_fibers_try_to_start(void)
{
	runtime_start(2, 0);
	fiber_put(runtime_spawn(start_meanwhile, NULL));
	runtime_await(&ready, 1);
	CHECK_EQ(fiber_stop_until(FIBER_FOREVER), 0);
	CHECK_EQ(atomic_load(&ended), 1);
}

static int end_late(void *arg)
{
	(void)arg;
	fiber_sleep(FIBER_FOREVER);
	return 9;
}

/* Of the fibers that they have, they see the ends, and can wait on. */
static void *join_many(void *barrier)
{
	struct fiber *fibers[20];
	int i;

	for (i = 0; i < 20; i++)
		fibers[i] = runtime_spawn(end_late, NULL);
	pthread_barrier_wait(barrier);
	for (i = 0; i < 20; i++)
		CHECK_EQ(runtime_join(fibers[i]), 9);
	CHECK_EQ(fiber_sleep(RUNTIME_MS), 0);
	return NULL;
}

static void *ask_until_over(void *barrier)
{
	struct fiber_status status = { .size = sizeof(status) };
	int err;

	pthread_barrier_wait(barrier);
	while (!atomic_load(&over)) {
		err = fiber_status(&status);
		CHECK(err == 0 || err == -EPERM);
		CHECK(err || (status.workers >= 1 && status.workers <= 3));
	}
	return NULL;
}

static void meanwhile(void *(*fn)(void *))
{
	pthread_barrier_t barrier;
	pthread_t threads[3];
	int round, i;

	pthread_barrier_init(&barrier, NULL, 4);
	for (round = 0; round < RUNTIME_TIMES(50); round++) {
		atomic_store(&over, 0);
		runtime_start(1 + round % 3, 0);
		for (i = 0; i < 3; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, fn,
						&barrier),
				 0);
		pthread_barrier_wait(&barrier);
		usleep(round * 10);
		runtime_stop();
		atomic_store(&over, 1);
		for (i = 0; i < 3; i++)
			CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	pthread_barrier_destroy(&barrier);
}

static void while_threads_wait(void)
{
	meanwhile(join_many);
}

static void while_threads_ask(void)
{
	meanwhile(ask_until_over);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(cancels_and_waits),
		TEST(nothing_to_wait_for),
		TEST(gives_up_at_the_deadline),
		TEST(waits_for_those_that_take_long),
		TEST(not_by_a_fiber),
		TEST(not_if_nothing_runs),
		TEST(by_another_thread),
		TEST(by_several_at_once),
		TEST(while_fibers_try_to_start),
		TEST(while_threads_wait),
		TEST(while_threads_ask),
	};

	return RUN(argc, argv, tests);
}
