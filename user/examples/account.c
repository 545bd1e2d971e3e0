// SPDX-License-Identifier: MIT
/*
 * Somebody waits until there is enough on an account.
 *
 * prints:
 *	0 are left
 */
#include <stdio.h>

#include <fiber.h>

static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static struct fiber_cond more = FIBER_COND_INIT;
static int balance; /* mutex */

static void pay_in(void *arg)
{
	(void)arg;
	for (int i = 0; i < 7; i++) {
		if (fiber_mutex_lock(&mutex))
			return;
		balance += 5;
		fiber_cond_signal(&more);
		fiber_mutex_unlock(&mutex);
	}
}

/* Returns what is left, or -errno. */
static int take_out(int amount)
{
	int left;
	int err = fiber_mutex_lock(&mutex);

	if (err)
		return err;
	while (balance < amount && !err)
		err = fiber_cond_wait(&more, &mutex);
	if (!err)
		balance -= amount;
	left = balance;
	/* It is locked, whatever fiber_cond_wait() returned. */
	fiber_mutex_unlock(&mutex);
	return err ? err : left;
}

static int start(void *arg)
{
	(void)arg;
	/* 35 come in all. */
	if (fiber_go(pay_in, NULL) || take_out(20) < 0 || take_out(15) < 0)
		return 1;
	printf("%d are left\n", balance);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
