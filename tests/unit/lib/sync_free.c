// SPDX-License-Identifier: MIT
/*
 * An object may be freed by whoever was let go on, at once, though who let it go
 * may still be in its call. The sanitizer sees who touches it then; without one,
 * it is unmapped.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "fibers.h"

#define TIMES ROUNDS(1000)

struct object {
	union {
		struct fiber_mutex mutex;
		struct fiber_rwlock rwlock;
		struct fiber_sem sem;
		struct fiber_waitgroup group;
		struct fiber_event event;
		struct fiber_barrier barrier;
		FIBER_WORD word;
	};
	struct fiber_cond cond;
	int users;
	bool ready;
};

static struct object *new_object(void)
{
	struct object *o;

#ifdef __SANITIZE_ADDRESS__
	o = calloc(1, sizeof(*o));
	CHECK(o);
#else
	o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(o != MAP_FAILED);
#endif
	return o;
}

static void free_object(struct object *o)
{
#ifdef __SANITIZE_ADDRESS__
	free(o);
#else
	CHECK(!munmap(o, sizeof(*o)));
#endif
}

/* The last one to have it frees it. */
static int last_of_mutex(void *arg)
{
	struct object *o = arg;
	bool last;

	CHECK_EQ(fiber_mutex_lock(&o->mutex), 0);
	last = --o->users == 0;
	CHECK_EQ(fiber_mutex_unlock(&o->mutex), 0);
	if (last)
		free_object(o);
	return 0;
}

static int last_of_rwlock(void *arg)
{
	struct object *o = arg;
	bool last;

	CHECK_EQ(fiber_rwlock_rdlock(&o->rwlock), 0);
	CHECK(o->users > 0);
	CHECK_EQ(fiber_rwlock_unlock(&o->rwlock), 0);
	CHECK_EQ(fiber_rwlock_wrlock(&o->rwlock), 0);
	last = --o->users == 0;
	CHECK_EQ(fiber_rwlock_unlock(&o->rwlock), 0);
	if (last)
		free_object(o);
	return 0;
}

/* The second one is let go on by the first, and frees it. */
static int post(void *arg)
{
	struct object *o = arg;

	CHECK_EQ(fiber_sem_post(&o->sem), 0);
	return 0;
}

static int take(void *arg)
{
	struct object *o = arg;

	CHECK_EQ(fiber_sem_wait(&o->sem), 0);
	free_object(o);
	return 0;
}

static int done(void *arg)
{
	struct object *o = arg;

	CHECK_EQ(fiber_waitgroup_done(&o->group), 0);
	return 0;
}

static int wait_until_done(void *arg)
{
	struct object *o = arg;

	CHECK_EQ(fiber_waitgroup_wait(&o->group), 0);
	free_object(o);
	return 0;
}

static int set(void *arg)
{
	struct object *o = arg;

	CHECK_EQ(fiber_event_set(&o->event), 0);
	return 0;
}

static int wait_until_set(void *arg)
{
	struct object *o = arg;

	CHECK_EQ(fiber_event_wait(&o->event), 0);
	free_object(o);
	return 0;
}

static int make_ready(void *arg)
{
	struct object *o = arg;

	CHECK_EQ(fiber_mutex_lock(&o->mutex), 0);
	o->ready = true;
	CHECK_EQ(fiber_cond_broadcast(&o->cond), 0);
	CHECK_EQ(fiber_mutex_unlock(&o->mutex), 0);
	return 0;
}

static int wait_until_ready(void *arg)
{
	struct object *o = arg;

	CHECK_EQ(fiber_mutex_lock(&o->mutex), 0);
	while (!o->ready)
		CHECK_EQ(fiber_cond_wait(&o->cond, &o->mutex), 0);
	CHECK_EQ(fiber_mutex_unlock(&o->mutex), 0);
	free_object(o);
	return 0;
}

static int change(void *arg)
{
	struct object *o = arg;

	o->word = 1;
	/* It may be gone: the address is all that is used. */
	CHECK(fiber_wake(&o->word, 1) >= 0);
	return 0;
}

static int wait_until_changed(void *arg)
{
	struct object *o = arg;

	while (!o->word)
		(void)fiber_block_on(&o->word, 0, FIBER_FOREVER);
	free_object(o);
	return 0;
}

static int come(void *arg)
{
	struct object *o = arg;

	CHECK(fiber_barrier_wait(&o->barrier) >= 0);
	if (__atomic_sub_fetch(&o->users, 1, __ATOMIC_SEQ_CST) == 0)
		free_object(o);
	return 0;
}

static const struct {
	int (*first)(void *);
	int (*second)(void *);
} pairs[] = {
	{ last_of_mutex, last_of_mutex },
	{ last_of_rwlock, last_of_rwlock },
	{ post, take },
	{ done, wait_until_done },
	{ set, wait_until_set },
	{ make_ready, wait_until_ready },
	{ change, wait_until_changed },
	{ come, come },
};

static struct object *object_for(int (*first)(void *))
{
	struct object *o = new_object();

	o->users = 2;
	if (first == done)
		CHECK_EQ(fiber_waitgroup_add(&o->group, 1), 0);
	if (first == come)
		o->barrier = (struct fiber_barrier)FIBER_BARRIER_INIT(2);
	return o;
}

struct side {
	int pair;
	bool second;
	struct fiber_chan *objects;
};

/* What one side has to do, object for object. */
static int all_of_a_side(void *arg)
{
	struct side *side = arg;
	struct object *o;

	while (!fiber_recv(side->objects, &o))
		CHECK_EQ((side->second ? pairs[side->pair].second :
					 pairs[side->pair].first)(o),
			 0);
	return 0;
}

static void *side_in_thread(void *arg)
{
	CHECK_EQ(all_of_a_side(arg), 0);
	return NULL;
}

static void run_pair(int pair, bool thread)
{
	struct side sides[2] = {
		{ pair, false, new_chan(sizeof(struct object *), 8) },
		{ pair, true, new_chan(sizeof(struct object *), 8) },
	};
	struct fiber *fibers[2];
	pthread_t other;

	fibers[0] = spawn(all_of_a_side, &sides[0]);
	if (thread)
		CHECK(!pthread_create(&other, NULL, side_in_thread, &sides[1]));
	else
		fibers[1] = spawn(all_of_a_side, &sides[1]);
	for (int i = 0; i < TIMES / (thread ? 10 : 1); i++) {
		struct object *o = object_for(pairs[pair].first);

		/* The order differs. */
		for (int j = 0; j < 2; j++)
			CHECK_EQ(fiber_send(sides[(i + j) % 2].objects, &o), 0);
	}
	for (int j = 0; j < 2; j++)
		CHECK_EQ(fiber_chan_close(sides[j].objects), 0);
	CHECK_EQ(join(fibers[0]), 0);
	if (thread)
		CHECK(!pthread_join(other, NULL));
	else
		CHECK_EQ(join(fibers[1]), 0);
	for (int j = 0; j < 2; j++)
		fiber_chan_put(sides[j].objects);
}

static void all_pairs(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		run_pair(i, false);
}

static void all_pairs_with_a_thread(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		run_pair(i, true);
}

static void freed_by_a_fiber(void)
{
	run_shapes(0, all_pairs);
}

static void freed_by_a_thread(void)
{
	run_with(2, 0, all_pairs_with_a_thread);
}

/* Where it was there is another frame by then. */
static int wait_on_the_stack(void *arg)
{
	for (int i = 0; i < TIMES; i++) {
		struct fiber_waitgroup group = FIBER_WAITGROUP_INIT;
		struct fiber *fiber;

		CHECK_EQ(fiber_waitgroup_add(&group, 1), 0);
		fiber = spawn(done, &group);
		CHECK_EQ(fiber_waitgroup_wait(&group), 0);
		group.opaque[0] = group.opaque[1] = ~(uint64_t)0;
		CHECK_EQ(join(fiber), 0);
		CHECK(!~group.opaque[0] && !~group.opaque[1]);
	}
	(void)arg;
	return 0;
}

static void two_wait(void)
{
	struct fiber *other = spawn(wait_on_the_stack, NULL);

	wait_on_the_stack(NULL);
	CHECK_EQ(join(other), 0);
}

static void on_the_stack_of_who_waits(void)
{
	run_shapes(0, two_wait);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(freed_by_a_fiber),
		TEST(freed_by_a_thread),
		TEST(on_the_stack_of_who_waits),
	};

	return RUN(argc, argv, tests);
}
