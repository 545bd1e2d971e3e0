// SPDX-License-Identifier: MIT
/*
 * Nothing that synchronises takes memory, waiting included.
 */
#include <errno.h>
#include <stdlib.h>

#include "fibers.h"

#define TIMES 1000

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

static _Atomic bool counted;
static _Atomic long allocations;

static void note(void)
{
	if (counted)
		allocations++;
}

void *__wrap_malloc(size_t size)
{
	note();
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	note();
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	note();
	return __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	note();
	return __real_aligned_alloc(align, size);
}

static struct fiber_mutex mutex;
static struct fiber_cond cond;
static struct fiber_rwlock lock;
static struct fiber_sem sems[2];
static struct fiber_barrier barrier = FIBER_BARRIER_INIT(2);
static struct fiber_event events[2];
static FIBER_WORD words[2];
static int turn;

/* The two wait for each other in each of these. */
static void use_each(int me)
{
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	while (turn != me)
		CHECK_EQ(fiber_cond_wait(&cond, &mutex), 0);
	fiber_yield();
	turn = !me;
	CHECK_EQ(fiber_cond_broadcast(&cond), 0);
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(me ? fiber_rwlock_rdlock(&lock) : fiber_rwlock_wrlock(&lock),
		 0);
	fiber_yield();
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	CHECK_EQ(fiber_sem_post(&sems[!me]), 0);
	CHECK_EQ(fiber_sem_wait(&sems[me]), 0);
	CHECK(fiber_barrier_wait(&barrier) >= 0);
	CHECK_EQ(fiber_event_set(&events[!me]), 0);
	CHECK_EQ(fiber_event_wait(&events[me]), 0);
	CHECK_EQ(fiber_event_clear(&events[me]), 0);
	words[!me]++;
	CHECK(fiber_wake(&words[!me], 1) >= 0);
	while (!words[me])
		(void)fiber_block_on(&words[me], 0, FIBER_FOREVER);
	words[me]--;
}

static int use_often(void *arg)
{
	for (int i = 0; i < TIMES; i++)
		use_each(arg != NULL);
	return 0;
}

static void both(void)
{
	struct fiber_status before = { .size = sizeof(before) };
	struct fiber_status after = { .size = sizeof(after) };
	struct fiber *other = spawn(use_often, &mutex);

	CHECK_EQ(fiber_status(&before), 0);
	/* What is got when something is done first is not counted. */
	for (int i = 0; i < TIMES; i++) {
		if (i == TIMES / 10)
			counted = true;
		use_each(0);
	}
	counted = false;
	CHECK_EQ(join(other), 0);
	CHECK_EQ(fiber_status(&after), 0);
	/* A thread more, as one was slow, is not ours to count. */
	if (after.threads != before.threads)
		allocations = 0;
	CHECK_EQ(allocations, 0);
}

static void nothing_takes_memory(void)
{
	void *volatile memory;

	run_shapes(0, both);
	/* It would have been seen. */
	counted = true;
	memory = malloc(1);
	CHECK_EQ(allocations, 1);
	free(memory);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(nothing_takes_memory),
	};

	return RUN(argc, argv, tests);
}
