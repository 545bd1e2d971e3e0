// SPDX-License-Identifier: MIT
/*
 * A wait for a condition that ends for another reason: it has the mutex, and it
 * takes no signal with it.
 */
#include <errno.h>

#include "fibers.h"

#define WHY 4

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static struct fiber_cond cond = FIBER_COND_INIT;

static int wait_until(void *arg)
{
	int err;

	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	err = fiber_cond_wait_until(&cond, &mutex, *(int64_t *)arg);
	CHECK_EQ(fiber_mutex_try_lock(&mutex), -EDEADLK);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	return err;
}

static void leave(void)
{
	int64_t soon = fiber_after(SEC);
	int64_t late = fiber_after(HOUR);
	struct fiber *timed = spawn(wait_until, &soon);
	struct fiber *cancelled;
	struct fiber *others[2];

	settle();
	cancelled = spawn(wait_until, &late);
	settle();
	for (int i = 0; i < 2; i++) {
		others[i] = spawn(wait_until, &late);
		settle();
	}
	/* They have to wait for the mutex, which is held when they are woken. */
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_cancel(cancelled, WHY), 0);
	CHECK_EQ(fiber_sleep(2 * SEC), 0);
	CHECK_EQ(fiber_try_join(cancelled, NULL), -EAGAIN);
	CHECK_EQ(fiber_try_join(timed, NULL), -EAGAIN);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(join(cancelled), -ECANCELED);
	CHECK_EQ(join(timed), -ETIMEDOUT);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(fiber_cond_signal(&cond), 0);
		CHECK_EQ(join(others[i]), 0);
	}
}

static void has_the_mutex(void)
{
	run_shapes(FIBER_TEST_CLOCK, leave);
}

static int cancelled_waits(void *arg)
{
	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_cancel(fiber_self(), WHY), 0);
	CHECK_EQ(fiber_cond_wait(&cond, &mutex), -ECANCELED);
	CHECK_EQ(fiber_cond_wait_until(&cond, &mutex, 0), -ECANCELED);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	return 0;
}

static void without_waiting(void)
{
	int64_t past = fiber_now();

	CHECK_EQ(join(spawn(cancelled_waits, NULL)), 0);
	CHECK_EQ(join(spawn(wait_until, &past)), -ETIMEDOUT);
	CHECK_EQ(fiber_now(), past);
}

static void may_not_begin(void)
{
	run_shapes(FIBER_TEST_CLOCK, without_waiting);
}

/*
 * Tokens are put one by one with a signal each; waiters come and go meanwhile.
 * If a signal were lost a token would stay, with somebody who waits for it.
 */
static int tokens, taken;

static int take_token(void *arg)
{
	int err = fiber_mutex_lock(&mutex);

	if (err)
		return err;
	while (!tokens && !err) {
		err = arg ? fiber_cond_wait_until(&cond, &mutex,
						  fiber_after(20 * USEC)) :
			    fiber_cond_wait(&cond, &mutex);
	}
	/* A signal that comes with the error counts, too: look before leaving. */
	if (tokens) {
		tokens--;
		taken++;
		err = 0;
	}
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	return err;
}

static void token_round(int round)
{
	struct fiber *steady[3];
	struct fiber *fickle[6];
	int got = 0;

	for (int i = 0; i < 6; i++) {
		fickle[i] = spawn(take_token, i % 2 ? &tokens : NULL);
		if (i % 2)
			steady[i / 2] = spawn(take_token, NULL);
	}
	if (round % 2)
		settle();
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(fiber_mutex_lock(&mutex), 0);
		if (i < 3) {
			tokens++;
			CHECK_EQ(fiber_cond_signal(&cond), 0);
		}
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
		(void)fiber_cancel(fickle[i], WHY);
	}
	for (int i = 0; i < 6; i++)
		got += join(fickle[i]) == 0;
	/* As many more as the others wait for; each signal finds one of them. */
	for (int i = 0; i < got; i++) {
		CHECK_EQ(fiber_mutex_lock(&mutex), 0);
		tokens++;
		CHECK_EQ(fiber_cond_signal(&cond), 0);
		CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	}
	for (int i = 0; i < 3; i++)
		CHECK_EQ(join(steady[i]), 0);
	CHECK_EQ(tokens, 0);
}

static void many_rounds(void)
{
	for (int i = 0; i < ROUNDS(300); i++)
		token_round(i);
}

static void no_signal_is_lost(void)
{
	run_shapes(0, many_rounds);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(has_the_mutex),
		TEST(may_not_begin),
		TEST(no_signal_is_lost),
	};

	return RUN(argc, argv, tests);
}
