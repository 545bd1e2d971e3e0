// SPDX-License-Identifier: MIT
/*
 * fiber_dump() writes who every fiber is, what it is at and on what stack, also
 * of those that run, and while fibers come and go; it delays none, and what is in
 * its way it says.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "atomic.h"
#include "fibers.h"

/* It puts signals off, and hands out registers of another moment. */
#ifdef FIBER_TSAN
#define SIGNALS_WORK false
#else
#define SIGNALS_WORK true
#endif

static struct fiber_chan *chan;
static _Atomic bool stop;
static _Atomic int begun;

__attribute__((noinline)) static int receive_below(void)
{
	int err = fiber_recv(chan, NULL);

	/* Not a tail call: the frame must be there to be seen. */
	__asm__ volatile("" ::: "memory");
	return err;
}

static int receive(void *arg)
{
	int err;

	(void)arg;
	begun++;
	err = receive_below();
	__asm__ volatile("" ::: "memory");
	return err == -EPIPE ? 0 : err;
}

__attribute__((noinline)) static void compute_below(void)
{
	while (!stop)
		;
	__asm__ volatile("" ::: "memory");
}

static int compute(void *arg)
{
	(void)arg;
	begun++;
	compute_below();
	__asm__ volatile("" ::: "memory");
	return 0;
}

static int block(void *arg)
{
	(void)arg;
	begun++;
	while (!stop)
		usleep(10000);
	return 0;
}

/* What a dump of that kind says; to be freed. */
static char *dump(unsigned int flags)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	off_t size;
	char *said;

	CHECK(fd >= 0);
	CHECK_EQ(fiber_dump(fd, flags), 0);
	size = lseek(fd, 0, SEEK_END);
	said = calloc(1, size + 1);
	CHECK(said);
	CHECK_EQ(pread(fd, said, size, 0), size);
	close(fd);
	return said;
}

/* Until all have answered: on a busy machine a worker may have no CPU for long. */
static char *dump_with_all(void)
{
	char *said = dump(0);

	while (strstr(said, "does not answer") || strstr(said, "has gone on")) {
		free(said);
		said = dump(0);
	}
	return said;
}

static void need_libdw(const char *said)
{
	if (strstr(said, "no libdw.so.1"))
		test_skip("no libdw (package libdw1)");
}

/* The paragraph of that fiber; to be freed. */
static char *part_of(const char *said, uint64_t id)
{
	char head[64];
	const char *from;
	const char *to;

	snprintf(head, sizeof(head), "\nfiber %llu", (unsigned long long)id);
	from = strstr(said, head);
	if (!from)
		test_fail(__FILE__, __LINE__, "no%s in: %.1000s", head, said);
	to = strstr(from + 1, "\n\n");
	return to ? strndup(from, to + 1 - from) : strdup(from);
}

static void check_part(const char *said, uint64_t id, const char *const *parts)
{
	char *part = part_of(said, id);

	for (; *parts; parts++)
		CHECK_IN(part, *parts);
	free(part);
}

static struct fiber *spawn_named(const char *name, int (*fn)(void *))
{
	struct fiber_attr attr = { .size = sizeof(attr), .name = name };
	struct fiber *fiber;

	CHECK_EQ(fiber_spawn(&fiber, fn, NULL, &attr), 0);
	return fiber;
}

static int waits(const struct fiber_info *info, void *fiber)
{
	return info->id == fiber_id(fiber) && info->state == FIBER_STATE_WAITS;
}

static void await_wait(struct fiber *fiber)
{
	while (!fiber_each(waits, fiber))
		fiber_yield();
}

static void begin(void)
{
	stop = false;
	begun = 0;
	chan = new_chan(0, 0);
}

static void end(void)
{
	stop = true;
	CHECK_EQ(fiber_chan_close(chan), 0);
}

static void see_parked(void)
{
	/* What is in its name may be anything. */
	const char *const parts[] = { " 'mar?vin', entered at receive(), waits "
				      "in fiber_recv() for ",
				      " ms on 0x",
				      "_fiber_park_queue()",
				      "receive_below()",
				      "receive()",
				      "_fiber_context_start()",
				      NULL };
	struct fiber *fiber;
	char *said;

	begin();
	fiber = spawn_named("mar\tvin", receive);
	await_wait(fiber);
	said = dump(0);
	need_libdw(said);
	check_part(said, fiber_id(fiber), parts);
	CHECK_IN(said, "receive_below() tests/unit/lib/debug_dump.c:");
	free(said);
	end();
	CHECK_EQ(join(fiber), 0);
	fiber_chan_put(chan);
}

static void of_one_that_waits(void)
{
	run_shapes(0, see_parked);
}

static void see_running(void)
{
	const char *const computes[] = { ", entered at compute(), runs on "
					 "worker ",
					 "compute_below()", "compute()",
					 "_fiber_context_start()", NULL };
	const char *const blocks[] = { ", entered at block(), runs on worker ",
				       "usleep()", "block()",
				       "_fiber_context_start()", NULL };
	const char *const self[] = { "runs on worker ", "fiber_dump()",
				     "see_running()", "_fiber_context_start()",
				     NULL };
	struct fiber *fibers[2];
	char *said;

	begin();
	fibers[0] = spawn(compute, NULL);
	fibers[1] = spawn(block, NULL);
	while (begun < 2)
		fiber_yield();
	said = dump_with_all();
	need_libdw(said);
	check_part(said, fiber_id(fibers[0]), computes);
	check_part(said, fiber_id(fibers[1]), blocks);
	check_part(said, fiber_id(fiber_self()), self);
	free(said);
	end();
	join(fibers[0]);
	join(fibers[1]);
	fiber_chan_put(chan);
}

static void of_those_that_run(void)
{
	if (!SIGNALS_WORK)
		test_skip("the thread sanitizer puts signals off");
	for (int i = 0; i < 5; i++) {
		run_with(3, 0, see_running);
		run_with(4, FIBER_TEST_MIGRATE, see_running);
	}
}

#define MANY 1000

static void see_many(void)
{
	static struct fiber *fibers[MANY];
	char *said;

	begin();
	for (int i = 0; i < MANY; i++)
		fibers[i] = spawn(receive, NULL);
	for (int i = 0; i < MANY; i++)
		await_wait(fibers[i]);
	said = dump(0);
	for (int i = 0; i < MANY; i++) {
		char *part = part_of(said, fiber_id(fibers[i]));

		CHECK_IN(part, "waits in fiber_recv() for ");
		CHECK_IN(part, "  stack ");
		free(part);
	}
	CHECK(strstr(said, ", as above\n"));
	CHECK(strstr(said, " fibers: stack "));
	free(said);
	said = dump(FIBER_DUMP_BRIEF);
	for (int i = 0; i < MANY; i++)
		free(part_of(said, fiber_id(fibers[i])));
	CHECK(!strstr(said, "stack"));
	free(said);
	end();
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(join(fibers[i]), 0);
	fiber_chan_put(chan);
}

static void of_a_thousand(void)
{
	run_shapes(0, see_many);
}

/* They pass it on, sleep, compute, end and are made. */
static int live(void *arg)
{
	char name[FIBER_NAME_SIZE];
	int64_t until = test_now() + 100 * USEC;

	snprintf(name, sizeof(name), "%p", arg);
	CHECK_EQ(fiber_name_set(name), 0);
	fiber_sleep(10 * USEC);
	(void)fiber_recv_until(chan, NULL, fiber_after(20 * USEC));
	while (test_now() < until)
		;
	fiber_yield();
	begun--;
	return 0;
}

static void *make_always(void *arg)
{
	(void)arg;
	while (!stop) {
		if (begun < 50) {
			begun++;
			CHECK_EQ(fiber_go((void (*)(void *))(void *)live, NULL),
				 0);
		} else {
			fiber_sleep(10 * USEC);
		}
	}
	return NULL;
}

static void see_change(void)
{
	pthread_t thread;

	begin();
	CHECK(!pthread_create(&thread, NULL, make_always, NULL));
	for (int i = 0; i < ROUNDS(8); i++) {
		char *said = dump(i % 4 == 3 ? FIBER_DUMP_BRIEF : 0);

		CHECK(strstr(said, ", runs on worker "));
		free(said);
	}
	stop = true;
	CHECK(!pthread_join(thread, NULL));
	while (begun > 0)
		fiber_sleep(MSEC);
	fiber_chan_put(chan);
}

static void while_all_changes(void)
{
	run_shapes(0, see_change);
}

static void *dump_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		free(dump(0));
	return NULL;
}

static int dump_once(void *arg)
{
	(void)arg;
	free(dump(0));
	return 0;
}

static void dump_at_once(void)
{
	struct fiber *fibers[3];
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&threads[i], NULL, dump_often, NULL));
	for (int i = 0; i < 3; i++)
		fibers[i] = spawn(dump_once, NULL);
	for (int i = 0; i < 3; i++)
		join(fibers[i]);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(threads[i], NULL));
}

static void several_at_once(void)
{
	run_with(1, 0, dump_at_once);
	run_with(4, FIBER_TEST_MIGRATE, dump_at_once);
}

/* Its worker's thread does not take the signal. */
static int be_deaf(void *arg)
{
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	CHECK(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	begun++;
	compute_below();
	CHECK(!pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	return 0;
}

static void see_deaf(void)
{
	struct fiber *fiber;
	char *said;
	char *part;

	begin();
	fiber = spawn(be_deaf, NULL);
	while (!begun)
		fiber_yield();
	said = dump(0);
	part = part_of(said, fiber_id(fiber));
	CHECK_IN(part, "its worker does not answer\n");
	free(part);
	free(said);
	/* The signal comes now, and does nothing. */
	end();
	CHECK_EQ(join(fiber), 0);
	free(dump(0));
	fiber_chan_put(chan);
}

static void worker_that_does_not_answer(void)
{
	run_with(2, 0, see_deaf);
	run_with(2, 0, see_deaf);
}

static _Atomic int samples;

static void sample(int sig)
{
	(void)sig;
	samples++;
}

static void be_profiled(void)
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct fiber *fiber;
	int before;

	begin();
	CHECK(!setitimer(ITIMER_PROF, &often, NULL));
	fiber = spawn(compute, NULL);
	for (int i = 0; i < 5; i++)
		free(dump(0));
	before = samples;
	while (samples < before + 3)
		free(dump(0));
	CHECK(!setitimer(ITIMER_PROF, &never, NULL));
	end();
	CHECK_EQ(join(fiber), 0);
	fiber_chan_put(chan);
}

static void beside_a_profiler(void)
{
	struct sigaction action = { .sa_handler = sample,
				    .sa_flags = SA_RESTART };

	CHECK(!sigaction(SIGPROF, &action, NULL));
	run_with(2, 0, be_profiled);
}

static void leave_no_handler(void)
{
	struct sigaction now;

	begin();
	free(dump(0));
	CHECK(!sigaction(SIGPROF, NULL, &now));
	CHECK(now.sa_handler == sample);
	end();
	fiber_chan_put(chan);
}

static void handler_is_put_back(void)
{
	struct sigaction action = { .sa_handler = sample };

	CHECK(!sigaction(SIGPROF, &action, NULL));
	run_with(1, 0, leave_no_handler);
}

static void *read_slowly(void *arg)
{
	int fd = *(int *)arg;
	long sum = 0;
	char buf[512];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum += n;
	return (void *)sum;
}

/* More than a pipe takes at once, and to one that does not block. */
static void write_to_pipe(void)
{
	static struct fiber *fibers[MANY];
	pthread_t thread;
	void *sum;
	int fds[2];

	begin();
	for (int i = 0; i < MANY; i++)
		fibers[i] = spawn(receive, NULL);
	CHECK(!pipe2(fds, O_NONBLOCK));
	CHECK(!fcntl(fds[0], F_SETFL, 0));
	CHECK(!pthread_create(&thread, NULL, read_slowly, &fds[0]));
	CHECK_EQ(fiber_dump(fds[1], 0), 0);
	close(fds[1]);
	CHECK(!pthread_join(thread, &sum));
	CHECK((long)sum > MANY * 50);
	close(fds[0]);
	end();
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(join(fibers[i]), 0);
	fiber_chan_put(chan);
}

static void to_a_pipe(void)
{
	run_with(2, 0, write_to_pipe);
}

static void give_nonsense(void)
{
	int fds[2];

	CHECK_EQ(fiber_dump(-1, 0), -EBADF);
	CHECK_EQ(fiber_dump(1, 2), -EINVAL);
	CHECK(!pipe(fds));
	close(fds[0]);
	/* Nobody is killed for it. */
	CHECK_EQ(fiber_dump(fds[1], 0), -EPIPE);
	close(fds[1]);
}

static void arguments(void)
{
	CHECK_EQ(fiber_dump(1, 0), -EPERM);
	run_with(2, 0, give_nonsense);
	CHECK_EQ(fiber_dump(1, 0), -EPERM);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(of_one_that_waits), TEST(of_those_that_run),
		TEST(of_a_thousand),	 TEST(while_all_changes),
		TEST(several_at_once),	 TEST(worker_that_does_not_answer),
		TEST(beside_a_profiler), TEST(handler_is_put_back),
		TEST(to_a_pipe),	 TEST(arguments),
	};

	return RUN(argc, argv, tests);
}
