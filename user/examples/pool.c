// SPDX-License-Identifier: MIT
/*
 * A pool of workers with a queue of jobs that holds a few only: who adds a job
 * waits for room, who wants one waits for a job, and who made them waits until
 * all are done. A mutex with two conditions, and a wait group.
 *
 * Here a job is a range of numbers, in which the primes are to be counted. It
 * prints:
 *	9592 primes below 100000
 */
#include <stdbool.h>
#include <stdio.h>

#include <fiber.h>

#define WORKERS 4
#define ROOM 8
#define JOBS 100
#define RANGE 1000

struct job {
	int from;
	int *count; /* where the answer goes */
};

static struct pool {
	struct fiber_mutex lock;
	struct fiber_cond not_empty;
	struct fiber_cond not_full;
	/* lock: a ring */
	struct job jobs[ROOM];
	int head;
	int len;
	bool closed;
	struct fiber_waitgroup busy; /* workers that have not ended */
} pool;

/* Returns -errno if the fiber was cancelled while there was no room. */
static int pool_add(struct pool *p, const struct job *job)
{
	int err = fiber_mutex_lock(&p->lock);

	if (err)
		return err;
	while (p->len == ROOM && !err)
		err = fiber_cond_wait(&p->not_full, &p->lock);
	if (!err) {
		p->jobs[(p->head + p->len++) % ROOM] = *job;
		fiber_cond_signal(&p->not_empty);
	}
	fiber_mutex_unlock(&p->lock);
	return err;
}

/* Whether there was one: not when the pool is closed, and all jobs are taken. */
static bool pool_take(struct pool *p, struct job *job)
{
	bool got;

	if (fiber_mutex_lock(&p->lock))
		return false;
	while (!p->len && !p->closed &&
	       !fiber_cond_wait(&p->not_empty, &p->lock))
		;
	got = p->len;
	if (got) {
		*job = p->jobs[p->head];
		p->head = (p->head + 1) % ROOM;
		p->len--;
		fiber_cond_signal(&p->not_full);
	}
	fiber_mutex_unlock(&p->lock);
	return got;
}

static void pool_close(struct pool *p)
{
	if (fiber_mutex_lock(&p->lock))
		return;
	p->closed = true;
	fiber_mutex_unlock(&p->lock);
	fiber_cond_broadcast(&p->not_empty);
}

static bool is_prime(int n)
{
	for (int i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return n > 1;
}

static void work(void *arg)
{
	struct pool *p = arg;
	struct job job;

	while (pool_take(p, &job)) {
		for (int i = job.from; i < job.from + RANGE; i++)
			*job.count += is_prime(i);
		/* It has computed for a while. */
		fiber_yield();
	}
	/* After this the pool may be gone. */
	fiber_waitgroup_done(&p->busy);
}

static int start(void *arg)
{
	static int counts[JOBS];
	int sum = 0;

	(void)arg;
	fiber_waitgroup_add(&pool.busy, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		if (fiber_go(work, &pool))
			return 1;
	for (int i = 0; i < JOBS; i++) {
		struct job job = { .from = i * RANGE, .count = &counts[i] };

		if (pool_add(&pool, &job))
			return 1;
	}
	pool_close(&pool);
	fiber_waitgroup_wait(&pool.busy);
	for (int i = 0; i < JOBS; i++)
		sum += counts[i];
	printf("%d primes below %d\n", sum, JOBS * RANGE);
	return 0;
}

int main(void)
{
	return fiber_run(start, NULL, NULL);
}
