// SPDX-License-Identifier: MIT
/*
 * What it costs to read statistics, and to have them counted.
 *
 * Three ways to read the same tasks, one after the other in one run: our dump
 * (fiber), /proc stat + schedstat + status (proc), and taskstats one by one.
 * And what a context switch costs with the module absent, loaded with nobody
 * watching, and with a whole-system histogram watched.
 *
 * A cost is that of the whole way, the reader's system calls and receiving
 * included; what a reader does with it after that is not: parsing the text of
 * /proc is left out. taskstats is told which tasks there are, for free, since
 * it cannot list them.
 *
 * Meant for a VM whose clock counts instructions: then ns are instructions and
 * much the same at every run. The first pass after boot, which differs, is
 * discarded. Prints a line a row, with tabs:
 *
 *   bench row who workers median min max unit
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fiber.h>
#include <linux/taskstats.h>
#include "child.h"
#include "genl.h"
#include "module.h"

#define THREADS 5000
#define PROCESSES 500
#define PASSES 6 /* the first is discarded */
#define TRIPS 2000 /* of a ping-pong; two switches each */
#define CALLS 20 /* of a cheap request */

static struct genl fiber, taskstats;
static pid_t crowd, *tids, singles[PROCESSES];
static int tids_n;

static void die(const char *what, int err)
{
	fprintf(stderr, "stats: %s: %s\n", what, strerror(-err));
	exit(1);
}

static long check(const char *what, long got)
{
	if (got < 0)
		die(what, got);
	return got;
}

/* ---- fiber ---- */

static long fiber_all_threads(void)
{
	return check("thread dump",
		     genl_ask(&fiber, FIBER_CMD_THREAD_GET, 1, 0, 0));
}

static long fiber_crowd_threads(void)
{
	return check("thread dump of a process",
		     genl_ask(&fiber, FIBER_CMD_THREAD_GET, 1, FIBER_A_TASK_PID,
			      crowd));
}

/* Of a process with one thread: the crowd beside it must cost nothing. */
static long fiber_single_threads(void)
{
	for (int i = 0; i < CALLS; i++)
		check("thread dump of a process",
		      genl_ask(&fiber, FIBER_CMD_THREAD_GET, 1,
			       FIBER_A_TASK_PID, singles[i]));
	return CALLS;
}

static long fiber_crowd_total(void)
{
	for (int i = 0; i < CALLS; i++)
		check("process", genl_ask(&fiber, FIBER_CMD_PROCESS_GET, 0,
					  FIBER_A_TASK_PID, crowd));
	return CALLS;
}

static long fiber_processes(void)
{
	return check("process dump",
		     genl_ask(&fiber, FIBER_CMD_PROCESS_GET, 1, 0, 0));
}

/* ---- /proc ---- */

static void read_file(const char *dir, const char *name)
{
	static char text[8192];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%.50s/%.10s", dir, name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text)) <= 0)
		die(path, -errno);
	close(fd);
}

static void read_task(const char *dir)
{
	read_file(dir, "stat");
	read_file(dir, "schedstat");
	read_file(dir, "status");
}

typedef long (*visit_fn)(const char *dir);

static long visit(const char *dir, visit_fn fn)
{
	char path[64];
	DIR *d = opendir(dir);
	struct dirent *entry;
	long n = 0;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') {
			snprintf(path, sizeof(path), "%.40s/%.20s", dir,
				 entry->d_name);
			n += fn(path);
		}
	closedir(d);
	return n;
}

static long visit_thread(const char *dir)
{
	read_task(dir);
	return 1;
}

static long visit_threads(const char *dir)
{
	char path[64];

	snprintf(path, sizeof(path), "%.50s/task", dir);
	return visit(path, visit_thread);
}

static long proc_all_threads(void)
{
	return visit("/proc", visit_threads);
}

static long proc_crowd_threads(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", crowd);
	return visit_threads(path);
}

static long proc_single_threads(void)
{
	char path[64];

	for (int i = 0; i < CALLS; i++) {
		snprintf(path, sizeof(path), "/proc/%d", singles[i]);
		visit_threads(path);
	}
	return CALLS;
}

static long proc_crowd_total(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", crowd);
	for (int i = 0; i < CALLS; i++)
		read_task(path);
	return CALLS;
}

static long proc_processes(void)
{
	return visit("/proc", visit_thread);
}

/* ---- taskstats ---- */

static void taskstats_get(int attr, pid_t pid)
{
	check("taskstats",
	      genl_ask(&taskstats, TASKSTATS_CMD_GET, 0, attr, pid));
}

static long taskstats_all_threads(void)
{
	for (int i = 0; i < tids_n; i++)
		taskstats_get(TASKSTATS_CMD_ATTR_PID, tids[i]);
	return tids_n;
}

static long taskstats_single_threads(void)
{
	for (int i = 0; i < CALLS; i++)
		taskstats_get(TASKSTATS_CMD_ATTR_PID, singles[i]);
	return CALLS;
}

static long taskstats_crowd_total(void)
{
	for (int i = 0; i < CALLS; i++)
		taskstats_get(TASKSTATS_CMD_ATTR_TGID, crowd);
	return CALLS;
}

static long taskstats_processes(void)
{
	for (int i = 0; i < PROCESSES; i++)
		taskstats_get(TASKSTATS_CMD_ATTR_TGID, singles[i]);
	return PROCESSES;
}

/* ---- context switches ---- */

static struct gate ping, pong;

/* Whether a waker goes on or is preempted at once, FIFO decides always alike. */
static void alike(int policy)
{
	struct sched_param param = { .sched_priority = policy == SCHED_FIFO };

	if (sched_setscheduler(0, policy, &param))
		die("scheduling policy", -errno);
}

static int answer(void *arg)
{
	for (;;) {
		gate_wait(&ping);
		gate_open(&pong, 1);
	}
	return arg ? 1 : 0;
}

static long switches(void)
{
	for (int i = 0; i < TRIPS; i++) {
		gate_open(&ping, 1);
		gate_wait(&pong);
	}
	return 2 * TRIPS;
}

static void module_absent(void)
{
	int err = -EAGAIN;

	for (int i = 0; module_loaded() && err == -EAGAIN && i < 500;
	     i++, sleep_ns(10 * MS))
		err = module_unload();
	if (module_loaded())
		die("the module does not unload", err);
}

static void module_present(void)
{
	int err = module_loaded() ? 0 : module_load();

	if (err)
		die("the module does not load", err);
}

/* ---- rows ---- */

struct row {
	const char *name, *who;
	int workers;
	const char *unit;
	long (*body)(void);
	uint64_t sample[PASSES];
};

enum {
	ABSENT,
	LOADED,
	WATCHED,
	SWITCH_ROWS
};

static struct row switch_rows[SWITCH_ROWS] = {
	{ "switch", "absent", 2, "instructions/switch", switches, { 0 } },
	{ "switch", "loaded", 2, "instructions/switch", switches, { 0 } },
	{ "switch", "watched", 2, "instructions/switch", switches, { 0 } },
};

#define PER_THREAD "instructions/thread"
#define PER_PROCESS "instructions/process"
#define PER_CALL "instructions/call"

static struct row task_rows[] = {
	{ "all-threads", "fiber", THREADS, PER_THREAD, fiber_all_threads, { 0 } },
	{ "all-threads", "proc", THREADS, PER_THREAD, proc_all_threads, { 0 } },
	{ "all-threads",
	  "taskstats",
	  THREADS,
	  PER_THREAD,
	  taskstats_all_threads,
	  { 0 } },
	{ "threads-of-one",
	  "fiber",
	  THREADS,
	  PER_THREAD,
	  fiber_crowd_threads,
	  { 0 } },
	{ "threads-of-one",
	  "proc",
	  THREADS,
	  PER_THREAD,
	  proc_crowd_threads,
	  { 0 } },
	{ "threads-of-one",
	  "taskstats",
	  THREADS,
	  PER_THREAD,
	  taskstats_all_threads,
	  { 0 } },
	{ "thread-of-one", "fiber", 1, PER_CALL, fiber_single_threads, { 0 } },
	{ "thread-of-one", "proc", 1, PER_CALL, proc_single_threads, { 0 } },
	{ "thread-of-one",
	  "taskstats",
	  1,
	  PER_CALL,
	  taskstats_single_threads,
	  { 0 } },
	{ "total-of-one", "fiber", THREADS, PER_CALL, fiber_crowd_total, { 0 } },
	{ "total-of-one", "proc", THREADS, PER_CALL, proc_crowd_total, { 0 } },
	{ "total-of-one",
	  "taskstats",
	  THREADS,
	  PER_CALL,
	  taskstats_crowd_total,
	  { 0 } },
	{ "processes", "fiber", PROCESSES, PER_PROCESS, fiber_processes, { 0 } },
	{ "processes", "proc", PROCESSES, PER_PROCESS, proc_processes, { 0 } },
	{ "processes",
	  "taskstats",
	  PROCESSES,
	  PER_PROCESS,
	  taskstats_processes,
	  { 0 } },
};

static void measure(struct row *row, int pass)
{
	uint64_t begin = now_ns();
	long n = row->body();

	row->sample[pass] = (now_ns() - begin) / n;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print(struct row *row)
{
	uint64_t *kept = row->sample + 1;
	int n = PASSES - 1;

	qsort(kept, n, sizeof(*kept), compare);
	printf("bench\t%s\t%s\t%d\t%llu\t%llu\t%llu\t%s\n", row->name, row->who,
	       row->workers, (unsigned long long)kept[n / 2],
	       (unsigned long long)kept[0], (unsigned long long)kept[n - 1],
	       row->unit);
}

static void open_fiber(void)
{
	check("no family \"fiber\"", genl_open(&fiber, FIBER_FAMILY_NAME));
}

/* A watch is its socket's and ends with it; its hook a second later. */
static void measure_switches(int pass)
{
	module_absent();
	measure(&switch_rows[ABSENT], pass);
	module_present();
	measure(&switch_rows[LOADED], pass);
	open_fiber();
	check("watch", genl_ask(&fiber, FIBER_CMD_WATCH, 0, 0, 0));
	measure(&switch_rows[WATCHED], pass);
	genl_close(&fiber);
}

/* ---- who is measured ---- */

static pid_t *shared_tids;

static void *crowd_thread(void *arg)
{
	shared_tids[__atomic_fetch_add(&shared_tids[THREADS], 1,
				       __ATOMIC_RELAXED)] = gettid_();
	return sleep_for_ever_thread(arg);
}

static int crowd_body(void *arg)
{
	if (!threads_start(THREADS - 1, crowd_thread, arg))
		return 1;
	crowd_thread(arg);
	return 0;
}

static void start_tasks(void)
{
	shared_tids = share((THREADS + 1) * sizeof(*shared_tids));
	crowd = child_start(crowd_body, NULL);
	while (__atomic_load_n(&shared_tids[THREADS], __ATOMIC_RELAXED) <
	       THREADS)
		sleep_ns(10 * MS);
	tids = shared_tids;
	tids_n = THREADS;
	for (int i = 0; i < PROCESSES; i++)
		singles[i] = child_start(sleep_for_ever, NULL);
	sleep_ns(100 * MS);
}

int main(void)
{
	pid_t partner;

	if (!module_file())
		die("no fiber.ko (FIBER_MODULE= names it)", -ENOENT);
	if (!gate_make(&ping) || !gate_make(&pong))
		die("pipe", -errno);
	alike(SCHED_FIFO);
	partner = child_start(answer, NULL);
	for (int pass = 0; pass < PASSES; pass++)
		measure_switches(pass);
	child_kill(partner);
	alike(SCHED_OTHER);

	start_tasks();
	open_fiber();
	check("no taskstats", genl_open(&taskstats, TASKSTATS_GENL_NAME));
	for (int pass = 0; pass < PASSES; pass++)
		for (size_t i = 0; i < sizeof(task_rows) / sizeof(*task_rows);
		     i++)
			measure(&task_rows[i], pass);
	for (int i = 0; i < SWITCH_ROWS; i++)
		print(&switch_rows[i]);
	for (size_t i = 0; i < sizeof(task_rows) / sizeof(*task_rows); i++)
		print(&task_rows[i]);
	return 0;
}
