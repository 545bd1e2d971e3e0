// SPDX-License-Identifier: MIT
/*
 * Each histogram counts what it says, and no shorter than it was.
 *
 * Children sleep, spin, block and fight for a CPU for known times. How often
 * is exact. How long is not: the clock of a sleep starts before the sleeper
 * leaves its CPU, and an emulated machine may put any time between the two. So
 * most sleeps must count at least half, and upper bounds are the time that the
 * whole watch took.
 */
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"

#define NAPS 20
#define NAP_NS (10 * MS)
#define LEAST_NS (NAP_NS / 2)
#define MOST(n) ((n)*3 / 4)

/* Every sample lies in its bucket, and the sums fit the buckets. */
static void check_shape(TEST_ARG, const struct hist *h)
{
	uint64_t count = 0, low = 0;
	int top = 0;

	for (int i = 0; i < FIBER_HIST_BUCKETS; i++) {
		count += h->buckets[i];
		low += h->buckets[i] * (i ? 1ull << i : 0);
		if (h->buckets[i])
			top = i;
	}
	EXPECT_EQ(count, h->count);
	EXPECT_LE(low, h->sum_ns);
	if (!h->count)
		return;
	EXPECT_LE(h->max_ns, h->sum_ns);
	EXPECT_GE(h->max_ns * h->count, h->sum_ns);
	EXPECT_LE(top ? 1ull << top : 0, h->max_ns);
	if (top < FIBER_HIST_BUCKETS - 1)
		EXPECT_GT(1ull << (top + 1), h->max_ns);
}

static uint64_t count_from(const struct hist *h, uint64_t ns)
{
	uint64_t count = 0;

	for (int i = 0; i < FIBER_HIST_BUCKETS; i++)
		if (2ull << i > ns)
			count += h->buckets[i];
	return count;
}

static void stop_and_read(TEST_ARG, struct nl *nl, uint32_t id, struct watch *w)
{
	ASSERT_EQ(0, watch_get(nl, id, w));
	for (int i = 0; i <= FIBER_HIST_KIND_PREEMPTED; i++)
		if (w->present & (1u << i))
			check_shape(_metadata, &w->hist[i]);
	EXPECT_EQ(0, watch_stop(nl, id));
}

/* A child waits at a gate, does its work, and says that it is done. */
struct worker {
	struct gate go, done;
	void (*work)(void);
	int cpu; /* -1: any */
};

static int worker_body(void *arg)
{
	struct worker *w = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu < 0 ? 0 : w->cpu, &set);
	if (w->cpu >= 0 && sched_setaffinity(0, sizeof(set), &set))
		return 1;
	gate_wait(&w->go);
	w->work();
	gate_open(&w->done, 1);
	return sleep_for_ever(NULL);
}

static pid_t worker_start(TEST_ARG, struct worker *w, void (*work)(void),
			  int cpu)
{
	pid_t pid;

	w->work = work;
	w->cpu = cpu;
	EXPECT_TRUE(gate_make(&w->go) && gate_make(&w->done));
	pid = child_start(worker_body, w);
	EXPECT_TRUE(proc_settle(pid, pid));
	return pid;
}

static void naps(void)
{
	for (int i = 0; i < NAPS; i++)
		sleep_ns(NAP_NS);
}

TEST_F_TIMEOUT(fiber, sleeps, SLOW_S)
{
	struct worker worker;
	pid_t pid = worker_start(_metadata, &worker, naps, -1);
	struct hist *sleep, *slice, *runq;
	uint64_t begin = now_ns(), took;
	struct watch w;
	uint32_t id;

	ASSERT_EQ(0, watch_start(&self->nl, pid, 0, &id));
	EXPECT_NE(0, id);
	gate_open(&worker.go, 1);
	gate_wait(&worker.done);
	ASSERT_TRUE(proc_settle(pid, pid));
	stop_and_read(_metadata, &self->nl, id, &w);
	took = now_ns() - begin;

	EXPECT_EQ(id, w.id);
	EXPECT_EQ(pid, w.pid);
	EXPECT_EQ(0x1f, w.kinds);
	EXPECT_EQ(0x1f, w.present);
	EXPECT_FALSE(w.ended);
	EXPECT_LE(NAPS * NAP_NS, w.since_ns);
	EXPECT_GE(took, w.since_ns);
	sleep = &w.hist[FIBER_HIST_KIND_SLEEP];
	slice = &w.hist[FIBER_HIST_KIND_SLICE];
	runq = &w.hist[FIBER_HIST_KIND_RUNQ];
	/* A collision may hide a sleep from us, and is counted. */
	EXPECT_LE(NAPS, sleep->count + w.lost);
	EXPECT_LE(MOST(NAPS), count_from(sleep, LEAST_NS) + w.lost);
	EXPECT_LE(LEAST_NS * MOST(NAPS - w.lost), sleep->sum_ns);
	EXPECT_LE(LEAST_NS, sleep->max_ns);
	EXPECT_GE(took, slice->sum_ns);
	EXPECT_LE(NAPS, slice->count);
	EXPECT_LE(NAPS, runq->count);
	EXPECT_GE(took, runq->sum_ns);
	EXPECT_EQ(0, w.hist[FIBER_HIST_KIND_DISK].count);
	child_kill(pid);
}

/* Vfork parents wait in uninterruptible sleep, which /proc shows as D. */
static void blocks(void)
{
	for (int i = 0; i < NAPS; i++)
		if (!vfork()) {
			sleep_ns(NAP_NS);
			_exit(0);
		}
}

TEST_F_TIMEOUT(fiber, disk, SLOW_S)
{
	struct worker worker;
	pid_t pid = worker_start(_metadata, &worker, blocks, -1);
	struct hist *disk;
	struct watch w;
	uint32_t id;

	ASSERT_EQ(0, watch_start(&self->nl, pid, 0, &id));
	gate_open(&worker.go, 1);
	gate_wait(&worker.done);
	ASSERT_TRUE(proc_settle(pid, pid));
	stop_and_read(_metadata, &self->nl, id, &w);
	disk = &w.hist[FIBER_HIST_KIND_DISK];
	EXPECT_LE(NAPS, disk->count + w.lost);
	EXPECT_LE(MOST(NAPS), count_from(disk, LEAST_NS) + w.lost);
	EXPECT_LE(LEAST_NS * MOST(NAPS - w.lost), disk->sum_ns);
	child_kill(pid);
}

static void hog(void)
{
	spin_ns(150 * MS);
}

/*
 * Two hogs on one CPU preempt each other: who is off the CPU waits for it, so
 * each leg counts as preempted and as time on the run queue, much alike.
 */
TEST_F_TIMEOUT(fiber, preempted, SLOW_S)
{
	struct worker worker[2];
	pid_t pid[2];
	struct hist *off, *runq, *slice;
	struct watch w;
	uint32_t id;

	for (int i = 0; i < 2; i++)
		pid[i] = worker_start(_metadata, &worker[i], hog, 0);
	ASSERT_EQ(0, watch_start(&self->nl, pid[0], 0, &id));
	for (int i = 0; i < 2; i++)
		gate_open(&worker[i].go, 1);
	for (int i = 0; i < 2; i++)
		gate_wait(&worker[i].done);
	ASSERT_TRUE(proc_settle(pid[0], pid[0]));
	stop_and_read(_metadata, &self->nl, id, &w);
	off = &w.hist[FIBER_HIST_KIND_PREEMPTED];
	runq = &w.hist[FIBER_HIST_KIND_RUNQ];
	slice = &w.hist[FIBER_HIST_KIND_SLICE];
	EXPECT_LE(3, off->count + w.lost);
	EXPECT_LE(off->count, runq->count);
	EXPECT_GE(runq->sum_ns + off->count * MS, off->sum_ns);
	/* It ran 150 ms, most of it in slices that the watch saw whole. */
	EXPECT_LE(100 * MS, slice->sum_ns);
	for (int i = 0; i < 2; i++)
		child_kill(pid[i]);
}

/* The whole system has at least what each process has. */
TEST_F_TIMEOUT(fiber, whole_system, SLOW_S)
{
	struct worker worker[2];
	pid_t pid[2];
	struct watch one, all;
	uint32_t one_id, all_id;

	pid[0] = worker_start(_metadata, &worker[0], naps, -1);
	pid[1] = worker_start(_metadata, &worker[1], hog, -1);
	ASSERT_EQ(0, watch_start(&self->nl, 0, 0, &all_id));
	ASSERT_EQ(0, watch_start(&self->nl, pid[0], 0, &one_id));
	for (int i = 0; i < 2; i++)
		gate_open(&worker[i].go, 1);
	for (int i = 0; i < 2; i++)
		gate_wait(&worker[i].done);
	ASSERT_TRUE(proc_settle(pid[0], pid[0]));
	stop_and_read(_metadata, &self->nl, one_id, &one);
	stop_and_read(_metadata, &self->nl, all_id, &all);
	EXPECT_EQ(0, all.pid);
	for (int i = 0; i <= FIBER_HIST_KIND_PREEMPTED; i++) {
		EXPECT_LE(one.hist[i].count, all.hist[i].count);
		EXPECT_LE(one.hist[i].sum_ns, all.hist[i].sum_ns);
		EXPECT_LE(one.hist[i].max_ns, all.hist[i].max_ns);
	}
	EXPECT_LE(100 * MS, all.hist[FIBER_HIST_KIND_SLICE].sum_ns);
	for (int i = 0; i < 2; i++)
		child_kill(pid[i]);
}

/* Only the kinds asked for, and all threads of a process. */
static void *nap_thread(void *arg)
{
	naps();
	gate_open(arg, 1);
	return NULL;
}

static struct gate threads_done;

static void threaded_naps(void)
{
	threads_start(4, nap_thread, &threads_done);
	for (int i = 0; i < 4; i++)
		gate_wait(&threads_done);
}

TEST_F_TIMEOUT(fiber, threads_and_kinds, SLOW_S)
{
	struct worker worker;
	struct watch w;
	uint32_t id;
	pid_t pid;

	ASSERT_TRUE(gate_make(&threads_done));
	pid = worker_start(_metadata, &worker, threaded_naps, -1);
	ASSERT_EQ(0, watch_start(&self->nl, pid, FIBER_HIST_MASK_SLEEP, &id));
	gate_open(&worker.go, 1);
	gate_wait(&worker.done);
	stop_and_read(_metadata, &self->nl, id, &w);
	EXPECT_EQ(FIBER_HIST_MASK_SLEEP, w.kinds);
	EXPECT_EQ(FIBER_HIST_MASK_SLEEP, w.present);
	EXPECT_LE(4 * NAPS, w.hist[FIBER_HIST_KIND_SLEEP].count + w.lost);
	EXPECT_LE(4 * NAPS,
		  count_from(&w.hist[FIBER_HIST_KIND_SLEEP], LEAST_NS) +
			  w.lost);
	child_kill(pid);
}

TEST_HARNESS_MAIN
