// SPDX-License-Identifier: MIT
/*
 * A task that lives throughout a dump is in it exactly once.
 *
 * Others fork, exit and make threads as fast as they can, on every side of the
 * ones that stay; whatever the cursor of the dump rests on is soon gone.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "self.h"

#define STAYING 300
#define STAYING_THREADS 2000
#define DUMPS 15
#define PID_LIMIT (4 << 20)

struct tally {
	unsigned char *times; /* by pid or tid */
	uint32_t total;
};

static void count_process(const struct fiber_process_stats *p, void *arg)
{
	struct tally *tally = arg;

	tally->total++;
	if (p->pid < PID_LIMIT)
		tally->times[p->pid]++;
}

static void count_thread(const struct fiber_thread_stats *t, void *arg)
{
	struct tally *tally = arg;

	tally->total++;
	if (t->tid < PID_LIMIT)
		tally->times[t->tid]++;
}

/* Half of the storm ends its children at once, the other keeps some a while. */
static int fork_storm(void *arg)
{
	pid_t kept[8] = { 0 };

	for (unsigned int i = 0; getppid() > 1; i++) {
		pid_t pid = child_start(sleep_for_ever, NULL);

		if (kept[i % 8]) {
			kill(kept[i % 8], SIGKILL);
			waitpid(kept[i % 8], NULL, 0);
		}
		kept[i % 8] = pid > 0 ? pid : 0;
	}
	return 0;
}

static void *brief(void *arg)
{
	return arg;
}

static int thread_storm(void *arg)
{
	while (getppid() > 1)
		if (!threads_start(16, brief, NULL))
			sleep_ns(MS);
	return 0;
}

static void *storm_thread(void *arg)
{
	thread_storm(arg);
	return NULL;
}

struct crowd {
	struct gate ready;
	pid_t tid[STAYING_THREADS];
	int threads;
	bool churn;
};

static void *stay(void *arg)
{
	struct crowd *crowd = arg;
	int mine = __atomic_fetch_add(&crowd->threads, 1, __ATOMIC_RELAXED);

	crowd->tid[mine] = gettid_();
	gate_open(&crowd->ready, 1);
	return sleep_for_ever_thread(NULL);
}

static int crowd_body(void *arg)
{
	struct crowd *crowd = arg;

	if (!threads_start(STAYING_THREADS / 2, stay, crowd))
		return 1;
	if (crowd->churn && !threads_start(1, storm_thread, NULL))
		return 1;
	if (!threads_start(STAYING_THREADS / 2, stay, crowd))
		return 1;
	return sleep_for_ever(NULL);
}

static struct crowd *crowd_start(bool churn, pid_t *pid)
{
	struct crowd *crowd = share(sizeof(*crowd));

	crowd->churn = churn;
	if (!gate_make(&crowd->ready))
		return NULL;
	*pid = child_start(crowd_body, crowd);
	for (int i = 0; i < STAYING_THREADS; i++)
		gate_wait(&crowd->ready);
	return crowd;
}

static void tally_clear(struct tally *tally)
{
	tally->total = 0;
	memset(tally->times, 0, PID_LIMIT);
}

static struct tally tally_new(void)
{
	return (struct tally){ .times = calloc(1, PID_LIMIT) };
}

static void expect_once(TEST_ARG, const struct tally *tally, const pid_t *pid,
			int n)
{
	int missing = 0, twice = 0;

	for (int i = 0; i < n; i++) {
		missing += tally->times[pid[i]] == 0;
		twice += tally->times[pid[i]] > 1;
	}
	EXPECT_EQ(0, missing);
	EXPECT_EQ(0, twice);
}

TEST_F_TIMEOUT(fiber, processes, SLOW_S)
{
	pid_t staying[STAYING], storm[2];
	struct tally tally = tally_new();

	for (int i = 0; i < STAYING; i++)
		staying[i] = child_start(sleep_for_ever, NULL);
	for (int i = 0; i < 2; i++)
		storm[i] = child_start(fork_storm, NULL);
	for (int i = 0; i < DUMPS; i++) {
		tally_clear(&tally);
		ASSERT_EQ(0, process_dump(&self->nl, (struct filter){ 0 },
					  count_process, &tally));
		EXPECT_FALSE(self->nl.interrupted);
		expect_once(_metadata, &tally, staying, STAYING);
		EXPECT_EQ(1, tally.times[1]);
		EXPECT_EQ(1, tally.times[getpid()]);
	}
	for (int i = 0; i < 2; i++)
		kill(storm[i], SIGKILL);
}

TEST_F_TIMEOUT(fiber, threads, SLOW_S)
{
	struct tally tally = tally_new();
	pid_t pid, storm[2];
	struct crowd *crowd = crowd_start(false, &pid);

	storm[0] = child_start(fork_storm, NULL);
	storm[1] = child_start(thread_storm, NULL);
	for (int i = 0; i < DUMPS; i++) {
		tally_clear(&tally);
		ASSERT_EQ(0, thread_dump(&self->nl, (struct filter){ 0 },
					 count_thread, &tally));
		EXPECT_FALSE(self->nl.interrupted);
		expect_once(_metadata, &tally, crowd->tid, STAYING_THREADS);
		EXPECT_EQ(1, tally.times[pid]);
		EXPECT_EQ(1, tally.times[getpid()]);
	}
	for (int i = 0; i < 2; i++)
		kill(storm[i], SIGKILL);
}

TEST_F_TIMEOUT(fiber, threads_of_one_process, SLOW_S)
{
	struct tally tally = tally_new();
	pid_t pid;
	struct crowd *crowd = crowd_start(true, &pid);
	struct filter filter = { .pid = pid };
	int interrupted = 0;

	for (int i = 0; i < DUMPS; i++) {
		tally_clear(&tally);
		ASSERT_EQ(0,
			  thread_dump(&self->nl, filter, count_thread, &tally));
		EXPECT_EQ(0, tally.times[getpid()]);
		/* The cursor's thread ended: the dump says so, and we ask again. */
		if (self->nl.interrupted) {
			interrupted++;
			continue;
		}
		expect_once(_metadata, &tally, crowd->tid, STAYING_THREADS);
		EXPECT_EQ(1, tally.times[pid]);
	}
	EXPECT_GT(DUMPS, interrupted);
	child_kill(pid);
}

/* A crowd whose process ends in the middle of the dump ends the dump. */
TEST_F_TIMEOUT(fiber, process_ends, SLOW_S)
{
	struct tally tally = tally_new();
	struct nl_msg *msg;
	pid_t pid;
	int seq;

	ASSERT_NE(NULL, crowd_start(false, &pid));
	msg = ask_new(&self->nl, FIBER_CMD_THREAD_GET, NLM_F_DUMP);
	nla_put_u32(msg, FIBER_A_TASK_PID, pid);
	seq = ask_send(&self->nl, msg);
	ASSERT_LT(0, seq);
	child_kill(pid);
	EXPECT_EQ(0, ask_answer(&self->nl, seq, NULL, &tally));
}

TEST_HARNESS_MAIN
