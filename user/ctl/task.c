// SPDX-License-Identifier: MIT
/*
 * Rows from what the library reads.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "fmt.h"
#include "task.h"

uint64_t clock_ns(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void task_from_process(struct task *task,
		       const struct fiber_nl_process_stats *stats)
{
	task->has |= HAS_PROCESS;
	task->flags = stats->flags;
	task->pid = stats->pid;
	task->tid = stats->pid;
	task->ppid = stats->ppid;
	task->uid = stats->uid;
	task->state = stats->state;
	task->threads = stats->threads;
	task->policy = stats->policy;
	task->rt_priority = stats->rt_priority;
	task->priority = stats->priority;
	task->nice = stats->nice;
	task->ns_level = stats->ns_level;
	task->start_ns = stats->start_ns;
	task->utime_ns = stats->utime_ns;
	task->stime_ns = stats->stime_ns;
	task->runtime_ns = stats->runtime_ns;
	task->run_delay_ns = stats->run_delay_ns;
	task->timeslices = stats->timeslices;
	task->migrations = stats->migrations;
	task->nvcsw = stats->nvcsw;
	task->nivcsw = stats->nivcsw;
	task->minflt = stats->minflt;
	task->majflt = stats->majflt;
	task->rss_bytes = stats->rss_bytes;
	task->vsz_bytes = stats->vsz_bytes;
	task->cgroup_id = stats->cgroup_id;
	memcpy(task->comm, stats->comm, sizeof(task->comm));
}

/* The set of CPUs as text of its own. */
static char *cpus_text(const struct fiber_nl_thread_stats *stats)
{
	char *text = NULL;
	size_t size;
	FILE *mem = open_memstream(&text, &size);

	if (!mem)
		return NULL;
	fmt_cpus(mem, stats->affinity, stats->affinity_words);
	return fclose(mem) ? NULL : text;
}

static int add_extra(struct task *task,
		     const struct fiber_nl_thread_stats *stats)
{
	if (stats->schedstats) {
		task->sched = *stats->schedstats;
		task->has |= HAS_SCHEDSTATS;
	}
	if (stats->affinity) {
		task->cpus = cpus_text(stats);
		if (!task->cpus)
			return -ENOMEM;
		task->has |= HAS_CPUS;
	}
	return 0;
}

int task_from_thread(struct task *task,
		     const struct fiber_nl_thread_stats *stats)
{
	task->has |= HAS_THREAD;
	task->flags = stats->flags;
	task->pid = stats->pid;
	task->tid = stats->tid;
	task->uid = stats->uid;
	task->state = stats->state;
	task->policy = stats->policy;
	task->rt_priority = stats->rt_priority;
	task->cpu = stats->cpu;
	task->priority = stats->priority;
	task->nice = stats->nice;
	task->start_ns = stats->start_ns;
	task->utime_ns = stats->utime_ns;
	task->stime_ns = stats->stime_ns;
	task->runtime_ns = stats->runtime_ns;
	task->run_delay_ns = stats->run_delay_ns;
	task->timeslices = stats->timeslices;
	task->migrations = stats->migrations;
	task->nvcsw = stats->nvcsw;
	task->nivcsw = stats->nivcsw;
	task->minflt = stats->minflt;
	task->majflt = stats->majflt;
	task->blkio_delay_ns = stats->blkio_delay_ns;
	task->arrived_ago_ns = stats->arrived_ago_ns;
	if (stats->arrived_ago_ns != UINT64_MAX)
		task->has |= HAS_ARRIVED;
	memcpy(task->comm, stats->comm, sizeof(task->comm));
	return add_extra(task, stats);
}

/* Totals over live threads fall when a thread ends: no time ran backwards. */
static double grown(uint64_t now, uint64_t before)
{
	return now > before ? (double)(now - before) : 0;
}

/*
 * Rates over the last @ns, in which the task came from @before to what it is
 * now; without @before all of it happened in that time.
 */
void task_rates(struct task *task, const struct task *before, uint64_t ns)
{
	static const struct task nothing;
	double time = ns ? (double)ns : 1;
	double s = time / 1e9;
	const struct task *b = before ? before : &nothing;

	task->cpu_pct = 100 * grown(task->runtime_ns, b->runtime_ns) / time;
	task->delay_pct =
		100 * grown(task->run_delay_ns, b->run_delay_ns) / time;
	task->blkio_pct =
		100 * grown(task->blkio_delay_ns, b->blkio_delay_ns) / time;
	task->vcsw_rate = grown(task->nvcsw, b->nvcsw) / s;
	task->icsw_rate = grown(task->nivcsw, b->nivcsw) / s;
	task->mig_rate = grown(task->migrations, b->migrations) / s;
	task->slice_rate = grown(task->timeslices, b->timeslices) / s;
	task->minflt_rate = grown(task->minflt, b->minflt) / s;
	task->majflt_rate = grown(task->majflt, b->majflt) / s;
	task->has |= HAS_RATES;
}

void task_from_event(struct task *task, const struct fiber_nl_event *event)
{
	memset(task, 0, sizeof(*task));
	if (event->has_process)
		task_from_process(task, &event->process);
	if (event->has_thread)
		task_from_thread(task, &event->thread);
	task->has |= HAS_EVENT;
	task->event = event->type;
	task->time_ns = event->time_ns;
	task->pid = event->pid;
	task->tid = event->tid ? event->tid : event->pid;
	task->uid = event->uid;
	task->exit_code = event->exit_code;
	if (task->start_ns && event->time_ns > task->start_ns) {
		task->age_ns = event->time_ns - task->start_ns;
		task_rates(task, NULL, task->age_ns);
	}
	if (event->ppid)
		task->ppid = event->ppid;
	if (event->type == FIBER_NL_EVENT_EXIT ||
	    event->type == FIBER_NL_EVENT_THREAD_EXIT)
		task->has |= HAS_CODE;
	if (event->comm[0])
		memcpy(task->comm, event->comm, sizeof(task->comm));
}

static size_t find_user(const struct users *users, uint32_t uid)
{
	size_t low = 0;
	size_t high = users->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (users->v[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static char *ask_name(uint32_t uid)
{
	struct passwd *pw = getpwuid(uid);
	char *name;

	if (pw)
		return strdup(pw->pw_name);
	return asprintf(&name, "%u", uid) < 0 ? NULL : name;
}

const char *users_name(struct users *users, uint32_t uid)
{
	size_t at = find_user(users, uid);
	struct user *v;
	char *name;

	if (at < users->n && users->v[at].uid == uid)
		return users->v[at].name;
	if (users->n == users->cap) {
		v = realloc(users->v, (users->cap * 2 + 16) * sizeof(*v));
		if (!v)
			return "?";
		users->v = v;
		users->cap = users->cap * 2 + 16;
	}
	name = ask_name(uid);
	if (!name)
		return "?";
	memmove(&users->v[at + 1], &users->v[at],
		(users->n - at) * sizeof(users->v[0]));
	users->v[at] = (struct user){ uid, name };
	users->n++;
	return name;
}

void users_free(struct users *users)
{
	while (users->n)
		free(users->v[--users->n].name);
	free(users->v);
	*users = (struct users){ 0 };
}

int session_open(struct session *session)
{
	int err;

	*session = (struct session){ 0 };
	err = fiber_nl_open(&session->nl);
	return err ? complain_open(err) : CTL_OK;
}

void session_close(struct session *session)
{
	fiber_nl_close(session->nl);
	users_free(&session->users);
}

/* Forgets the rows, keeps their room. */
void tasks_clear(struct tasks *tasks)
{
	while (tasks->n)
		free(tasks->v[--tasks->n].cpus);
}

void tasks_free(struct tasks *tasks)
{
	tasks_clear(tasks);
	free(tasks->v);
	*tasks = (struct tasks){ 0 };
}

/* A new row, all zero, or NULL. */
static struct task *add_task(struct tasks *tasks)
{
	struct task *v;
	size_t cap;

	if (tasks->n == tasks->cap) {
		cap = tasks->cap ? tasks->cap * 2 : 256;
		v = realloc(tasks->v, cap * sizeof(*v));
		if (!v)
			return NULL;
		tasks->v = v;
		tasks->cap = cap;
	}
	memset(&tasks->v[tasks->n], 0, sizeof(tasks->v[0]));
	return &tasks->v[tasks->n++];
}

struct reading {
	struct session *session;
	struct tasks *tasks;
	uint64_t boot_ns; /* now, on the clock of start_ns */
};

/* What the kernel does not tell but people ask. */
static void complete(struct reading *reading, struct task *task)
{
	task->user = users_name(&reading->session->users, (uint32_t)task->uid);
	if (reading->boot_ns > task->start_ns)
		task->age_ns = reading->boot_ns - task->start_ns;
	task_rates(task, NULL, task->age_ns);
}

static int take_process(const struct fiber_nl_process_stats *stats, void *arg)
{
	struct reading *reading = arg;
	struct task *task = add_task(reading->tasks);

	if (!task)
		return -ENOMEM;
	task_from_process(task, stats);
	complete(reading, task);
	return 0;
}

static int take_thread(const struct fiber_nl_thread_stats *stats, void *arg)
{
	struct reading *reading = arg;
	struct task *task = add_task(reading->tasks);

	if (!task || task_from_thread(task, stats))
		return -ENOMEM;
	complete(reading, task);
	return 0;
}

/* One process by number, without the filter: the caller has it whole. */
static int read_process(struct reading *reading, uint32_t pid)
{
	struct fiber_nl_process_stats stats;
	int err = fiber_nl_process(reading->session->nl, pid, &stats);

	return err ? err : take_process(&stats, reading);
}

static int read_threads_of(struct reading *reading, const struct query *query,
			   uint32_t pid)
{
	struct fiber_nl_filter filter = query->filter;
	struct fiber_nl_process_stats stats;
	size_t before = reading->tasks->n;
	int err;

	filter.pid = pid;
	err = fiber_nl_threads(reading->session->nl, &filter, take_thread,
			       reading);
	/* No thread may mean no process, or none that may be seen. */
	if (!err && reading->tasks->n == before)
		err = fiber_nl_process(reading->session->nl, pid, &stats);
	return err;
}

/* Why a read failed; the handle knows nothing of our own want of memory. */
static int complain_read(struct session *session, const char *what, int err)
{
	snprintf(session->complaint, sizeof(session->complaint), "%s: %s", what,
		 err == -ENOMEM ? fiber_nl_strerror(err) :
				  fiber_nl_error(session->nl));
	if (!session->silent)
		complain("%s", session->complaint);
	return CTL_REFUSED;
}

/* Reads those that are there, and complains of each that is not. */
static int read_pids(struct reading *reading, const struct query *query)
{
	char what[32];
	int status = CTL_OK;
	size_t i;
	int err;

	for (i = 0; i < query->n_pids; i++) {
		err = query->threads ?
			      read_threads_of(reading, query, query->pids[i]) :
			      read_process(reading, query->pids[i]);
		if (!err || (query->missing_ok && err == -ESRCH))
			continue;
		snprintf(what, sizeof(what), "process %u", query->pids[i]);
		status = complain_read(reading->session, what, err);
		if (err != -ESRCH && err != -EPERM)
			break;
	}
	return status;
}

/* Returns an exit status; what could be read is in @tasks all the same. */
int tasks_read(struct session *session, const struct query *query,
	       struct tasks *tasks)
{
	struct reading reading = { session, tasks, clock_ns(CLOCK_BOOTTIME) };
	int err;

	if (!query->append)
		tasks_clear(tasks);
	tasks->read_ns = clock_ns(CLOCK_MONOTONIC);
	if (query->n_pids)
		return read_pids(&reading, query);
	if (query->threads)
		err = fiber_nl_threads(session->nl, &query->filter, take_thread,
				       &reading);
	else
		err = fiber_nl_processes(session->nl, &query->filter,
					 take_process, &reading);
	if (!err)
		return CTL_OK;
	return complain_read(session,
			     query->threads ? "cannot list threads" :
					      "cannot list processes",
			     err);
}
