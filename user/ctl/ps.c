// SPDX-License-Identifier: MIT
/*
 * fiberctl ps, fiberctl threads: one read, one list.
 */
#include "view.h"

#define PROCESS_COLUMNS                                                   \
	"pid,ppid,user,state,threads,runtime,delay,vcsw,icsw,migrations," \
	"rss,comm"
#define THREAD_COLUMNS                                                      \
	"pid,tid,user,state,policy,nice,cpu,runtime,delay,blkio,vcsw,icsw," \
	"migrations,comm"

static int print(struct session *session, const struct view *view,
		 const struct opts *opts)
{
	struct query query = { .threads = opts->threads,
			       .pids = opts->pids,
			       .n_pids = opts->n_pids };
	struct tasks tasks = { 0 };
	struct rows rows = { 0 };
	int status;

	expr_push(view->filter, &query.filter);
	query.filter.want = view_want(view);
	status = tasks_read(session, &query, &tasks);
	if (!view_select(view, &tasks, &rows) && (!status || rows.n))
		out_rows(view, &rows, opts->threads ? "threads" : "processes",
			 stdout);
	rows_free(&rows);
	tasks_free(&tasks);
	return status;
}

static int ask_and_print(const struct view *view, const struct opts *opts)
{
	struct session session;
	int status = session_open(&session);

	if (status)
		return status;
	status = print(&session, view, opts);
	session_close(&session);
	return status;
}

static int list(const struct opts *opts, const struct command *cmd)
{
	struct view view;
	int status;

	if (opts->threads)
		status = view_init(&view, opts, cmd, VIEW_THREADS,
				   THREAD_COLUMNS, NULL);
	else
		status = view_init(&view, opts, cmd, VIEW_PROCESSES,
				   PROCESS_COLUMNS, NULL);
	if (status == OPTS_GO_ON)
		status = ask_and_print(&view, opts);
	view_free(&view);
	return status;
}

int cmd_ps(const struct command *cmd, int argc, char **argv)
{
	return opts_run(cmd, argc, argv, list);
}

int cmd_threads(const struct command *cmd, int argc, char **argv)
{
	struct opts opts;
	int status;
	int i;

	status = opts_parse(&opts, cmd, argc, argv);
	for (i = 0; status == OPTS_GO_ON && i < opts.n_args; i++) {
		if (opts_add_pids(&opts, opts.args[i]))
			status = opts_usage(cmd, "'%s' is not a PID",
					    opts.args[i]);
	}
	opts.threads = true;
	if (status == OPTS_GO_ON)
		status = list(&opts, cmd);
	opts_free(&opts);
	return status;
}
