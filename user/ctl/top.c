// SPDX-License-Identifier: MIT
/*
 * fiberctl top: two reads, and what happened between them.
 *
 * The kernel filters nothing here but -p: a task that was left out of one read
 * would have no beginning for the next interval, and the counts of states are
 * of all tasks.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fmt.h"
#include "stop.h"
#include "top.h"

#define PROCESS_COLUMNS                                                      \
	"pid,user,state,nice,threads,cpu_pct,delay_pct,vcsw_rate,icsw_rate," \
	"mig_rate,rss,runtime,comm"
#define THREAD_COLUMNS                                                       \
	"pid,tid,user,state,nice,cpu,cpu_pct,delay_pct,blkio_pct,vcsw_rate," \
	"icsw_rate,mig_rate,runtime,comm"
#define DELAY_NS 1000000000

unsigned int top_has(const struct top *top)
{
	return top->query.threads ? VIEW_THREADS : VIEW_PROCESSES;
}

const char *top_list(const struct top *top)
{
	return top->query.threads ? "threads" : "processes";
}

/* Show processes or threads; false leaves all as it was. */
bool top_set_view(struct top *top, bool threads, char *why)
{
	struct view view;

	if (!view_make(&view, top->opts,
		       threads ? VIEW_THREADS : VIEW_PROCESSES,
		       threads ? THREAD_COLUMNS : PROCESS_COLUMNS, "-cpu_pct",
		       why)) {
		view_free(&view);
		return false;
	}
	view_free(&top->view);
	top->view = view;
	top->query.threads = threads;
	top->query.filter.want = view_want(&view);
	tasks_clear(&top->now);
	return true;
}

static int compare_tid(const void *a, const void *b)
{
	const struct task *x = a;
	const struct task *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* The same task in the read before, or NULL. */
static const struct task *find_before(const struct top *top,
				      const struct task *task)
{
	const struct task *before = bsearch(task, top->before.v, top->before.n,
					    sizeof(*task), compare_tid);

	return before && before->start_ns == task->start_ns ? before : NULL;
}

static void add_up(struct top *top, const struct task *task)
{
	if (task->state < FIBER_NL_STATES)
		top->states[task->state]++;
	top->cpu_pct += task->cpu_pct;
	top->delay_pct += task->delay_pct;
	top->switches += task->vcsw_rate + task->icsw_rate;
}

/*
 * What a task did in the interval. One that is new did all of it there; one
 * that could not be seen before keeps the rates over its life.
 */
static void rate(struct top *top)
{
	size_t i;

	for (i = 0; i < top->now.n; i++) {
		struct task *task = &top->now.v[i];
		const struct task *before = find_before(top, task);

		if (before || task->age_ns <= top->interval_ns)
			task_rates(task, before, top->interval_ns);
		add_up(top, task);
	}
}

static void drop_kernel(struct rows *rows)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		if (!(rows->v[i]->flags & FIBER_NL_PROCESS_KERNEL_THREAD))
			rows->v[n++] = rows->v[i];
	}
	rows->n = n;
}

/* The rows of the frame, as sort and filter are now. An exit status. */
int top_select(struct top *top)
{
	int status = view_select(&top->view, &top->now, &top->rows);

	if (top->hide_kernel)
		drop_kernel(&top->rows);
	return status;
}

/* Read, and make the frame since the read before. An exit status. */
int top_read(struct top *top)
{
	struct tasks old = top->before;
	int status;

	top->before = top->now;
	top->now = old;
	if (top->before.n)
		qsort(top->before.v, top->before.n, sizeof(top->before.v[0]),
		      compare_tid);
	status = tasks_read(&top->session, &top->query, &top->now);
	if (status)
		return status;
	top->interval_ns = top->now.read_ns - top->before.read_ns;
	memset(top->states, 0, sizeof(top->states));
	top->cpu_pct = top->delay_pct = top->switches = 0;
	rate(top);
	return top_select(top);
}

/* Two lines: how many tasks do what, and what they did together. */
void top_summary(const struct top *top, FILE *out)
{
	static const char *const names[FIBER_NL_STATES] = {
		"running", "sleeping", "in disk sleep", "stopped", "traced",
		"dead",	   "zombie",   "parked",	"idle",
	};
	char interval[FMT_SIZE];
	const char *comma = "";
	size_t i;

	fprintf(out, "%zu %s: ", top->now.n, top_list(top));
	for (i = 0; i < FIBER_NL_STATES; i++) {
		if (!top->states[i] && i)
			continue;
		fprintf(out, "%s%" PRIu64 " %s", comma, top->states[i],
			names[i]);
		comma = ", ";
	}
	fmt_ns(interval, sizeof(interval), top->interval_ns);
	fprintf(out,
		"\n%s: %.1f%% CPU, %.1f%% waiting for one, %.0f switches/s\n",
		interval, top->cpu_pct, top->delay_pct, top->switches);
}

static void print_json(const struct top *top)
{
	struct json_object *object = json_object_new_object();
	struct json_object *states = json_object_new_object();
	struct json_object *array = json_object_new_array();
	size_t i;

	json_object_object_add(object, "interval_ns",
			       json_object_new_uint64(top->interval_ns));
	for (i = 0; i < FIBER_NL_STATES; i++)
		json_object_object_add(states,
				       (char[]){ state_letters[i], '\0' },
				       json_object_new_uint64(top->states[i]));
	json_object_object_add(object, "states", states);
	for (i = 0; i < top->rows.n; i++)
		json_object_array_add(array, out_json_task(&top->view,
							   top->rows.v[i]));
	json_object_object_add(object, top_list(top), array);
	out_json(object, stdout);
}

/* Tabs have one line of headers in all. */
static void print_tab(const struct top *top, bool first)
{
	size_t i;

	if (first)
		out_header(&top->view, stdout);
	for (i = 0; i < top->rows.n; i++)
		out_row(&top->view, top->rows.v[i], stdout);
}

/* An empty line stands between two frames. */
static void print_frame(const struct top *top, bool first)
{
	if (!first && !top->opts->json)
		fputc('\n', stdout);
	if (top->opts->json) {
		print_json(top);
	} else if (top->opts->tab) {
		print_tab(top, first);
	} else {
		if (!top->opts->no_header)
			top_summary(top, stdout);
		out_rows(&top->view, &top->rows, top_list(top), stdout);
	}
	fflush(stdout);
}

static int batch(struct top *top, int stop)
{
	unsigned int frame;
	int status;

	for (frame = 0; !top->opts->frames || frame < top->opts->frames;
	     frame++) {
		if (stop_wait(stop, -1, (int64_t)top->delay_ns) == STOP_ASKED)
			return CTL_OK;
		status = top_read(top);
		if (status)
			return status;
		print_frame(top, frame == 0);
		if (ferror(stdout))
			return CTL_REFUSED;
	}
	return CTL_OK;
}

static bool is_batch(const struct opts *opts)
{
	return opts->batch || opts->json || opts->tab;
}

static int show(struct top *top)
{
	int status = session_open(&top->session);
	int stop;

	if (status)
		return status;
	stop = stop_open();
	if (stop < 0)
		return CTL_REFUSED;
	/* The first read says, too, which processes of -p do not exist. */
	status = top_read(top);
	top->query.missing_ok = true;
	if (!status)
		status = is_batch(top->opts) ? batch(top, stop) :
					       top_screen(top, stop);
	stop_close(stop);
	return status;
}

static int run(const struct opts *opts, const struct command *cmd)
{
	struct top top = {
		.opts = opts,
		.query = { .pids = opts->pids, .n_pids = opts->n_pids },
		.delay_ns = opts->delay_ns ? opts->delay_ns : DELAY_NS
	};
	char why[WHY_SIZE];
	int status;

	if (opts->columns && !strcmp(opts->columns, "help")) {
		columns_help(stdout,
			     opts->threads ? VIEW_THREADS : VIEW_PROCESSES);
		return CTL_OK;
	}
	if (!is_batch(opts) &&
	    (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)))
		return opts_usage(cmd, "this is no terminal: use --batch");
	if (!top_set_view(&top, opts->threads, why))
		return opts_usage(cmd, "%s", why);
	status = show(&top);
	session_close(&top.session);
	rows_free(&top.rows);
	tasks_free(&top.now);
	tasks_free(&top.before);
	view_free(&top.view);
	return status;
}

int cmd_top(const struct command *cmd, int argc, char **argv)
{
	return opts_run(cmd, argc, argv, run);
}
