// SPDX-License-Identifier: MIT
/*
 * fiber_each() tells of every fiber its name, its state, and, where it waits, in
 * which call, for what and until when; by fibers and threads, and while it changes.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "fibers.h"

static struct fiber_chan *empty;
static struct fiber_chan *full; /* nobody receives */
static struct fiber_scope *scope;
static struct fiber *sleeper;
static struct fiber_mutex mutex = FIBER_MUTEX_INIT;
static struct fiber_mutex cond_mutex = FIBER_MUTEX_INIT;
static struct fiber_cond cond = FIBER_COND_INIT;
static struct fiber_rwlock lock = FIBER_RWLOCK_INIT;
static struct fiber_sem sem = FIBER_SEM_INIT(0);
static struct fiber_waitgroup group = FIBER_WAITGROUP_INIT;
static struct fiber_once once = FIBER_ONCE_INIT;
static struct fiber_barrier barrier = FIBER_BARRIER_INIT(2);
static struct fiber_event event = FIBER_EVENT_INIT;
static _Atomic uint32_t word;
static _Atomic bool once_begun;
static int64_t deadline;

static int do_sleep(void *arg)
{
	(void)arg;
	return fiber_sleep_until(deadline);
}

static int do_send(void *arg)
{
	int value = 1;

	(void)arg;
	return fiber_send(full, &value);
}

static int do_recv(void *arg)
{
	int value;

	(void)arg;
	return fiber_recv_until(empty, &value, deadline);
}

static int do_select(void *arg)
{
	int value = 1;
	struct fiber_case cases[] = {
		{ .chan = full, .elem = &value, .op = FIBER_SEND },
		{ .chan = empty, .elem = &value, .op = FIBER_RECV },
	};

	(void)arg;
	return fiber_select(cases, 2, 0);
}

static int do_join(void *arg)
{
	(void)arg;
	return fiber_join(fiber_get(sleeper), NULL);
}

static int do_scope(void *arg)
{
	struct fiber_scope *own;
	int err;

	(void)arg;
	CHECK_EQ(fiber_scope_new(&own, NULL), 0);
	CHECK_EQ(fiber_scope_go(own, do_sleep, NULL), 0);
	scope = own;
	err = fiber_scope_wait(own);
	fiber_scope_free(own);
	return err;
}

static int do_mutex(void *arg)
{
	(void)arg;
	return fiber_mutex_lock(&mutex);
}

static int do_cond(void *arg)
{
	int err;

	(void)arg;
	CHECK_EQ(fiber_mutex_lock(&cond_mutex), 0);
	err = fiber_cond_wait_until(&cond, &cond_mutex, deadline);
	fiber_mutex_unlock(&cond_mutex);
	return err;
}

static int do_rdlock(void *arg)
{
	(void)arg;
	return fiber_rwlock_rdlock(&lock);
}

static int do_wrlock(void *arg)
{
	(void)arg;
	return fiber_rwlock_wrlock(&lock);
}

static int do_sem(void *arg)
{
	(void)arg;
	return fiber_sem_wait(&sem);
}

static int do_group(void *arg)
{
	(void)arg;
	return fiber_waitgroup_wait(&group);
}

static void once_fn(void *arg)
{
	once_begun = true;
	do_sleep(arg);
}

static int do_once_first(void *arg)
{
	return fiber_once(&once, once_fn, arg);
}

static int do_once(void *arg)
{
	while (!once_begun)
		fiber_yield();
	return fiber_once(&once, once_fn, arg);
}

static int do_barrier(void *arg)
{
	(void)arg;
	return fiber_barrier_wait(&barrier);
}

static int do_event(void *arg)
{
	(void)arg;
	return fiber_event_wait(&event);
}

static int do_block_on(void *arg)
{
	(void)arg;
	return fiber_block_on(&word, 0, deadline);
}

struct sought {
	const char *name;
	struct fiber_info info;
	bool found;
};

static int match(const struct fiber_info *info, void *arg)
{
	struct sought *sought = arg;

	CHECK_EQ(info->size, sizeof(*info));
	CHECK(info->id);
	if (strcmp(info->name, sought->name))
		return 0;
	sought->info = *info;
	sought->found = true;
	return 7;
}

static bool find(const char *name, struct fiber_info *info)
{
	struct sought sought = { .name = name };
	int result = fiber_each(match, &sought);

	CHECK_EQ(result, sought.found ? 7 : 0);
	*info = sought.info;
	return sought.found;
}

/* When it is in that state. */
static struct fiber_info await_state(const char *name, unsigned int state)
{
	struct fiber_info info;

	while (!find(name, &info) || info.state != state)
		fiber_yield();
	return info;
}

static struct fiber_info check_waits(const char *name, unsigned int call,
				     const void *object)
{
	struct fiber_info info = await_state(name, FIBER_STATE_WAITS);

	CHECK_EQ(info.call, call);
	CHECK(info.object == object);
	CHECK(info.entry);
	CHECK(info.stack_used > 0 && info.stack_used < 32 * 1024);
	CHECK_EQ(info.cancelled, 0);
	CHECK_EQ(info.bound, 0);
	return info;
}

static struct fiber *spawn_named(const char *name, int (*fn)(void *))
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = name };
	struct fiber *fiber;

	CHECK_EQ(fiber_spawn(&fiber, fn, NULL, &attr), 0);
	return fiber;
}

static const struct waiting {
	const char *name;
	int (*fn)(void *);
	unsigned int call;
	const void *object; /* NULL: it is checked apart */
	bool has_deadline;
} waiting[] = {
	{ "sleep", do_sleep, FIBER_CALL_SLEEP, NULL, true },
	{ "send", do_send, FIBER_CALL_SEND, NULL, false },
	{ "recv", do_recv, FIBER_CALL_RECV, NULL, true },
	{ "select", do_select, FIBER_CALL_SELECT, NULL, false },
	{ "join", do_join, FIBER_CALL_JOIN, NULL, false },
	{ "scope", do_scope, FIBER_CALL_SCOPE, NULL, false },
	{ "mutex", do_mutex, FIBER_CALL_MUTEX, &mutex, false },
	{ "cond", do_cond, FIBER_CALL_COND, &cond, true },
	{ "rdlock", do_rdlock, FIBER_CALL_RDLOCK, &lock, false },
	{ "wrlock", do_wrlock, FIBER_CALL_WRLOCK, &lock, false },
	{ "sem", do_sem, FIBER_CALL_SEM, &sem, false },
	{ "group", do_group, FIBER_CALL_WAITGROUP, &group, false },
	{ "first", do_once_first, FIBER_CALL_SLEEP, NULL, true },
	{ "once", do_once, FIBER_CALL_ONCE, &once, false },
	{ "barrier", do_barrier, FIBER_CALL_BARRIER, &barrier, false },
	{ "event", do_event, FIBER_CALL_EVENT, &event, false },
	{ "block_on", do_block_on, FIBER_CALL_BLOCK_ON, &word, true },
};

#define NR_WAITING ARRAY_SIZE(waiting)

static const void *object_of(const struct waiting *w)
{
	switch (w->call) {
	case FIBER_CALL_SEND:
	case FIBER_CALL_SELECT:
		return full;
	case FIBER_CALL_RECV:
		return empty;
	case FIBER_CALL_JOIN:
		return sleeper;
	case FIBER_CALL_SCOPE:
		return scope;
	default:
		return w->object;
	}
}

static void check_one(const struct waiting *w)
{
	struct fiber_info info = await_state(w->name, FIBER_STATE_WAITS);

	info = check_waits(w->name, w->call, object_of(w));
	CHECK(info.entry == (const void *)w->fn);
	CHECK_EQ(info.deadline, w->has_deadline ? deadline : FIBER_FOREVER);
	CHECK_EQ(info.cases, w->call == FIBER_CALL_SELECT ? 2 : 0);
	CHECK_EQ(info.joins,
		 w->call == FIBER_CALL_JOIN ? fiber_id(sleeper) : 0);
}

static void wait_in_every_call(void)
{
	struct fiber *fibers[NR_WAITING];

	deadline = fiber_after(HOUR);
	empty = new_chan(sizeof(int), 0);
	full = new_chan(sizeof(int), 0);
	once = (struct fiber_once)FIBER_ONCE_INIT;
	once_begun = false;
	CHECK_EQ(fiber_mutex_lock(&mutex), 0);
	CHECK_EQ(fiber_rwlock_wrlock(&lock), 0);
	CHECK_EQ(fiber_waitgroup_add(&group, 1), 0);
	sleeper = spawn_named("sleep", do_sleep);
	fibers[0] = sleeper;
	for (size_t i = 1; i < NR_WAITING; i++)
		fibers[i] = spawn_named(waiting[i].name, waiting[i].fn);
	for (size_t i = 0; i < NR_WAITING; i++)
		check_one(&waiting[i]);
	for (size_t i = NR_WAITING; i-- > 0;) {
		CHECK_EQ(fiber_cancel(fibers[i], 1), 0);
		fiber_join(fibers[i], NULL);
	}
	CHECK_EQ(fiber_mutex_unlock(&mutex), 0);
	CHECK_EQ(fiber_rwlock_unlock(&lock), 0);
	CHECK_EQ(fiber_waitgroup_done(&group), 0);
	fiber_chan_put(empty);
	fiber_chan_put(full);
}

static void every_call(void)
{
	run_shapes(0, wait_in_every_call);
}

static _Atomic bool stop;

static int compute(void *arg)
{
	(void)arg;
	while (!stop)
		;
	return 0;
}

static int yield(void *arg)
{
	(void)arg;
	while (!stop)
		fiber_yield();
	return 0;
}

static int stay(void *arg)
{
	(void)arg;
	fiber_cancel_mask(1);
	while (!stop)
		fiber_sleep(MSEC);
	return 0;
}

static int be_in_every_state(void *arg)
{
	struct fiber *ready = spawn_named("ready", yield);
	struct fiber *new = spawn_named("new", yield);
	struct fiber_info info;

	(void)arg;
	/* With one worker they have not run. */
	info = await_state("new", FIBER_STATE_NEW);
	CHECK_EQ(info.id, fiber_id(new));
	CHECK_EQ(info.stack_used, 0);
	CHECK(info.entry == (const void *)yield);
	CHECK(!info.object);
	CHECK_EQ(info.deadline, FIBER_FOREVER);
	CHECK_EQ(fiber_name_set("self"), 0);
	info = await_state("self", FIBER_STATE_RUNS);
	CHECK_EQ(info.id, fiber_id(fiber_self()));
	CHECK_EQ(info.worker, 0);
	info = await_state("ready", FIBER_STATE_READY);
	CHECK_EQ(info.id, fiber_id(ready));
	CHECK(info.stack_used > 0);
	stop = true;
	join(ready);
	join(new);
	CHECK(!find("ready", &info));
	CHECK(!find("new", &info));
	return 0;
}

static void be_on_a_worker(void)
{
	struct fiber_info info;
	struct fiber *fiber;

	stop = false;
	fiber = spawn_named("computes", compute);
	info = await_state("computes", FIBER_STATE_RUNS);
	CHECK_EQ(info.call, FIBER_CALL_NONE);
	CHECK_EQ(info.id, fiber_id(fiber));
	stop = true;
	join(fiber);
}

static void every_state(void)
{
	/* No other thread takes the place of the worker. */
	struct fiber_config config = { .size = sizeof(config),
				       .workers = 1,
				       .spares = FIBER_SPARES_NONE };

	CHECK_EQ(fiber_run(be_in_every_state, NULL, &config), 0);
	run_with(2, 0, be_on_a_worker);
}

static void be_cancelled(void)
{
	struct fiber_info info;
	struct fiber *fiber;

	stop = false;
	fiber = spawn_named("stays", stay);
	CHECK_EQ(fiber_cancel(fiber, 42), 0);
	await_state("stays", FIBER_STATE_WAITS);
	CHECK(find("stays", &info));
	CHECK_EQ(info.cancelled, 42);
	stop = true;
	join(fiber);
}

static void reason_of_cancellation(void)
{
	run_shapes(0, be_cancelled);
}

static int is_thread(const struct fiber_info *info, void *arg)
{
	(void)arg;
	if (info->entry || info->call != FIBER_CALL_RECV)
		return 0;
	CHECK(info->object == empty);
	CHECK_EQ(info->state, FIBER_STATE_WAITS);
	return 1;
}

static void *thread_receives(void *arg)
{
	CHECK_EQ(fiber_recv(empty, arg), -EPIPE);
	return NULL;
}

static void have_a_thread_wait(void)
{
	pthread_t thread;
	int value;

	empty = new_chan(sizeof(int), 0);
	CHECK(!pthread_create(&thread, NULL, thread_receives, &value));
	while (fiber_each(is_thread, NULL) != 1)
		fiber_yield();
	CHECK_EQ(fiber_chan_close(empty), 0);
	CHECK(!pthread_join(thread, NULL));
	CHECK_EQ(fiber_each(is_thread, NULL), 0);
	fiber_chan_put(empty);
}

static void threads_that_wait(void)
{
	run_shapes(0, have_a_thread_wait);
}

static int sleep_a_little(const struct fiber_info *info, void *arg)
{
	*(int *)arg += !!info->entry;
	return fiber_sleep(USEC);
}

static void wait_meanwhile(void)
{
	struct fiber *fibers[10];
	int n = 0;

	stop = false;
	for (int i = 0; i < 10; i++)
		fibers[i] = spawn(yield, NULL);
	CHECK_EQ(fiber_each(sleep_a_little, &n), 0);
	CHECK_EQ(n, 11);
	stop = true;
	for (int i = 0; i < 10; i++)
		join(fibers[i]);
}

static void fn_may_wait(void)
{
	run_shapes(0, wait_meanwhile);
}

static int come_and_go(void *arg)
{
	if (arg)
		fiber_sleep(USEC);
	return 0;
}

static int check_sane(const struct fiber_info *info, void *arg)
{
	(void)arg;
	CHECK(info->state <= FIBER_STATE_WAITS);
	CHECK_EQ(info->call != FIBER_CALL_NONE,
		 info->state == FIBER_STATE_WAITS);
	/* It may just be given it. */
	CHECK(!strncmp(info->name, "mayfly", strlen(info->name)));
	return 0;
}

static void *look_always(void *arg)
{
	(void)arg;
	while (!stop)
		CHECK_EQ(fiber_each(check_sane, NULL), 0);
	return NULL;
}

static void change_meanwhile(void)
{
	pthread_t thread;

	stop = false;
	CHECK(!pthread_create(&thread, NULL, look_always, NULL));
	for (int round = 0; round < ROUNDS(500); round++) {
		struct fiber *fibers[20];

		for (int i = 0; i < 20; i++) {
			struct fiber_attr attr = { .size = sizeof(attr),
						   .name = i % 3 ? "mayfly" :
								   NULL };

			CHECK_EQ(fiber_spawn(&fibers[i], come_and_go,
					     i % 2 ? &attr : NULL, &attr),
				 0);
		}
		for (int i = 0; i < 20; i++)
			join(fibers[i]);
	}
	stop = true;
	CHECK(!pthread_join(thread, NULL));
}

static void while_all_changes(void)
{
	run_shapes(0, change_meanwhile);
}

static int never(const struct fiber_info *info, void *arg)
{
	(void)info;
	(void)arg;
	CHECK(false);
	return 0;
}

static void wait_for_a_while(void)
{
	struct fiber_info info;
	struct fiber *fiber;

	deadline = fiber_after(HOUR);
	fiber = spawn_named("sleep", do_sleep);
	do {
		info = await_state("sleep", FIBER_STATE_WAITS);
	} while (info.waits_ms < 50);
	CHECK(info.waits_ms < 600000);
	CHECK_EQ(fiber_cancel(fiber, 1), 0);
	CHECK_EQ(join(fiber), -ECANCELED);
}

static void for_how_long(void)
{
	run_shapes(0, wait_for_a_while);
}

static void arguments(void)
{
	CHECK_EQ(fiber_each(NULL, NULL), -EINVAL);
	CHECK_EQ(fiber_each(never, NULL), -EPERM);
	CHECK_EQ(fiber_start(NULL), 0);
	CHECK_EQ(fiber_each(never, NULL), 0);
	CHECK_EQ(fiber_stop_until(fiber_after(10 * SEC)), 0);
	CHECK_EQ(fiber_each(never, NULL), -EPERM);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(every_call),
		TEST(every_state),
		TEST(reason_of_cancellation),
		TEST(threads_that_wait),
		TEST(fn_may_wait),
		TEST(for_how_long),
		TEST(while_all_changes),
		TEST(arguments),
	};

	return RUN(argc, argv, tests);
}
