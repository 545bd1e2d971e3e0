// SPDX-License-Identifier: MIT
/*
 * A process's totals are the sum over its threads, those that exited included.
 *
 * A process has LIVE threads besides its leader, and DEAD more that worked,
 * said their getrusage and exited. What the dead did is the total less the
 * living: at least what they said, at most END_SLACK more each for the exit
 * itself, and the same for ever after.
 */
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "self.h"

#define LIVE 7
#define DEAD 5
/* Switches and faults between a thread's last word and its end. */
#define END_SLACK 40
#define END_SLACK_NS (500 * MS)

struct counts {
	uint64_t runtime_ns, nvcsw, nivcsw, minflt, majflt;
};

struct crowd {
	struct gate work, done;
	struct counts said[DEAD];
	int dead;
};

static void work(void)
{
	spin_ns(5 * MS);
	for (int i = 0; i < 10; i++)
		sleep_ns(MS / 4);
}

static void say(struct counts *c)
{
	struct rusage r;
	struct timespec t;

	getrusage(RUSAGE_THREAD, &r);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	c->runtime_ns = t.tv_sec * SECOND + t.tv_nsec;
	c->nvcsw = r.ru_nvcsw;
	c->nivcsw = r.ru_nivcsw;
	c->minflt = r.ru_minflt;
	c->majflt = r.ru_majflt;
}

static void *live_thread(void *arg)
{
	struct crowd *crowd = arg;

	for (;;) {
		work();
		gate_open(&crowd->done, 1);
		gate_wait(&crowd->work);
	}
	return NULL;
}

static void *dead_thread(void *arg)
{
	struct crowd *crowd = arg;
	int mine = __atomic_fetch_add(&crowd->dead, 1, __ATOMIC_RELAXED);

	work();
	say(&crowd->said[mine]);
	return NULL;
}

static int crowd_body(void *arg)
{
	struct crowd *crowd = arg;
	pthread_t dead[DEAD];

	for (int i = 0; i < DEAD; i++)
		if (pthread_create(&dead[i], NULL, dead_thread, crowd))
			return 1;
	for (int i = 0; i < DEAD; i++)
		pthread_join(dead[i], NULL);
	if (!threads_start(LIVE, live_thread, crowd))
		return 1;
	return sleep_for_ever(NULL);
}

struct sum {
	struct counts c;
	uint64_t run_delay_ns, timeslices, migrations, utime_ns, stime_ns;
	pid_t pid;
	int threads;
	bool settled, exact;
};

static void add(const struct fiber_thread_stats *t, void *arg)
{
	struct sum *sum = arg;
	struct proc_sched sched;

	sum->exact &= proc_read_sched(sum->pid, t->tid, &sched) &&
		      sched.runtime_ns == t->runtime_ns &&
		      sched.run_delay_ns == t->run_delay_ns &&
		      sched.timeslices == t->timeslices &&
		      sched.nvcsw == t->nvcsw && sched.nivcsw == t->nivcsw;
	sum->threads++;
	sum->c.runtime_ns += t->runtime_ns;
	sum->c.nvcsw += t->nvcsw;
	sum->c.nivcsw += t->nivcsw;
	sum->c.minflt += t->minflt;
	sum->c.majflt += t->majflt;
	sum->run_delay_ns += t->run_delay_ns;
	sum->timeslices += t->timeslices;
	sum->migrations += t->migrations;
	sum->utime_ns += t->utime_ns;
	sum->stime_ns += t->stime_ns;
}

static void settle(const struct fiber_thread_stats *t, void *arg)
{
	struct sum *sum = arg;

	sum->settled &= proc_settle(sum->pid, t->tid);
}

/* The process asleep in all its threads: its total, the sum, and the rest. */
static void measure(TEST_ARG, struct nl *nl, pid_t pid, struct counts *dead)
{
	struct filter filter = { .pid = pid };
	struct sum sum = { .pid = pid, .settled = true, .exact = true };
	struct fiber_process_stats p;
	struct proc_stat stat;

	ASSERT_EQ(0, thread_dump(nl, filter, settle, &sum));
	ASSERT_TRUE(sum.settled);
	ASSERT_EQ(0, thread_dump(nl, filter, add, &sum));
	EXPECT_TRUE(sum.exact);
	ASSERT_EQ(0, process_get(nl, pid, &p));
	ASSERT_TRUE(proc_read_process(pid, &stat));

	EXPECT_EQ(LIVE + 1, sum.threads);
	EXPECT_EQ(LIVE + 1, p.threads);
	EXPECT_EQ(0, p.flags);
	EXPECT_EQ(sum.run_delay_ns, p.run_delay_ns);
	EXPECT_EQ(sum.timeslices, p.timeslices);
	EXPECT_EQ(sum.migrations, p.migrations);
	EXPECT_EQ(p.runtime_ns, p.utime_ns + p.stime_ns);
	EXPECT_EQ(sum.c.runtime_ns, sum.utime_ns + sum.stime_ns);
	EXPECT_EQ(stat.minflt, p.minflt);
	EXPECT_EQ(stat.majflt, p.majflt);
	dead->runtime_ns = p.runtime_ns - sum.c.runtime_ns;
	dead->nvcsw = p.nvcsw - sum.c.nvcsw;
	dead->nivcsw = p.nivcsw - sum.c.nivcsw;
	dead->minflt = p.minflt - sum.c.minflt;
	dead->majflt = p.majflt - sum.c.majflt;
}

static void wait_done(struct crowd *crowd)
{
	for (int i = 0; i < LIVE; i++)
		gate_wait(&crowd->done);
}

#define EXPECT_ABOUT(said, is, slack)            \
	do {                                     \
		EXPECT_LE(said, is);             \
		EXPECT_GE((said) + (slack), is); \
	} while (0)

TEST_F_TIMEOUT(fiber, totals, SLOW_S)
{
	struct crowd *crowd = share(sizeof(*crowd));
	struct counts said = { 0 }, dead, again;
	pid_t pid;

	ASSERT_TRUE(gate_make(&crowd->work) && gate_make(&crowd->done));
	pid = child_start(crowd_body, crowd);
	wait_done(crowd);
	for (int i = 0; i < DEAD; i++) {
		said.runtime_ns += crowd->said[i].runtime_ns;
		said.nvcsw += crowd->said[i].nvcsw;
		said.nivcsw += crowd->said[i].nivcsw;
		said.minflt += crowd->said[i].minflt;
		said.majflt += crowd->said[i].majflt;
	}
	measure(_metadata, &self->nl, pid, &dead);
	EXPECT_ABOUT(said.nvcsw, dead.nvcsw, DEAD * END_SLACK);
	EXPECT_ABOUT(said.nivcsw, dead.nivcsw, DEAD * END_SLACK);
	EXPECT_ABOUT(said.minflt, dead.minflt, DEAD * END_SLACK);
	EXPECT_ABOUT(said.majflt, dead.majflt, DEAD * END_SLACK);
	EXPECT_ABOUT(said.runtime_ns, dead.runtime_ns, END_SLACK_NS);

	gate_open(&crowd->work, LIVE);
	wait_done(crowd);
	measure(_metadata, &self->nl, pid, &again);
	EXPECT_EQ(0, memcmp(&dead, &again, sizeof(dead)));
	child_kill(pid);
}

/* The kernel's own clock of a process counts its dead as well. */
TEST_F_TIMEOUT(fiber, clock, SLOW_S)
{
	struct crowd *crowd = share(sizeof(*crowd));
	struct fiber_process_stats p;
	struct timespec t;
	struct counts dead;
	clockid_t clock;
	pid_t pid;

	ASSERT_TRUE(gate_make(&crowd->work) && gate_make(&crowd->done));
	pid = child_start(crowd_body, crowd);
	wait_done(crowd);
	measure(_metadata, &self->nl, pid, &dead);
	ASSERT_EQ(0, process_get(&self->nl, pid, &p));
	ASSERT_EQ(0, clock_getcpuclockid(pid, &clock));
	ASSERT_EQ(0, clock_gettime(clock, &t));
	EXPECT_EQ(t.tv_sec * SECOND + t.tv_nsec, p.runtime_ns);
	child_kill(pid);
}

TEST_HARNESS_MAIN
