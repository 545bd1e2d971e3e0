// SPDX-License-Identifier: MIT
/*
 * fiberctl watch: events, a line each, as they come.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "stop.h"
#include "view.h"

#define PROCESS_EVENTS                                           \
	(1u << FIBER_NL_EVENT_FORK | 1u << FIBER_NL_EVENT_EXEC | \
	 1u << FIBER_NL_EVENT_EXIT)
#define THREAD_EVENTS \
	(1u << FIBER_NL_EVENT_THREAD_CREATE | 1u << FIBER_NL_EVENT_THREAD_EXIT)
#define PROCESS_COLUMNS "time,event,pid,ppid,user,runtime,result,comm"
#define THREAD_COLUMNS "time,event,pid,tid,ppid,user,runtime,result,comm"

struct watching {
	struct session session;
	const struct opts *opts;
	struct view view;
	uint64_t dropped; /* that was told */
};

/* EVENT,... to a set; 0 when one is unknown. */
static uint32_t parse_events(const char *list)
{
	static const char *const names[] = { "fork", "exec", "exit",
					     "thread-create", "thread-exit" };
	uint32_t set = 0;
	size_t len;
	size_t i;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		for (i = 0; i < 5; i++) {
			if (strlen(names[i]) == len &&
			    !memcmp(names[i], list, len))
				break;
		}
		if (i == 5)
			return 0;
		set |= 1u << i;
		if (!list[len])
			return set;
	}
}

static void tell_dropped(struct watching *w, uint64_t dropped)
{
	struct json_object *object;

	if (dropped <= w->dropped)
		return;
	if (w->opts->json) {
		object = json_object_new_object();
		json_object_object_add(
			object, "lost",
			json_object_new_uint64(dropped - w->dropped));
		out_json(object, stdout);
	}
	fprintf(stderr, "fiberctl: %" PRIu64 " events were lost here\n",
		dropped - w->dropped);
	w->dropped = dropped;
}

static bool is_of_pids(const struct opts *opts, uint64_t pid)
{
	size_t i;

	for (i = 0; i < opts->n_pids; i++) {
		if (opts->pids[i] == pid)
			return true;
	}
	return !opts->n_pids;
}

static void show(struct watching *w, const struct fiber_nl_event *event)
{
	struct task task;

	tell_dropped(w, event->dropped);
	task_from_event(&task, event);
	if (event->type != FIBER_NL_EVENT_END) {
		if (!is_of_pids(w->opts, task.pid))
			return;
		task.user = users_name(&w->session.users, event->uid);
	}
	if (event->type == FIBER_NL_EVENT_END ||
	    expr_match(w->view.filter, &task))
		out_row(&w->view, &task, stdout);
}

/* Everything that has come. OPTS_GO_ON, or an exit status. */
static int take_all(struct watching *w)
{
	struct fiber_nl_event event;
	int err;

	while ((err = fiber_nl_event_next(w->session.nl, &event, 0)) == 1) {
		show(w, &event);
		if (event.type == FIBER_NL_EVENT_END) {
			complain("the module is being unloaded");
			return CTL_REFUSED;
		}
		if (ferror(stdout))
			return CTL_REFUSED;
	}
	if (fflush(stdout))
		return CTL_REFUSED;
	/* How many were lost comes with the next event. */
	if (err && err != -ENOBUFS && err != -EINTR)
		return complain_nl(w->session.nl, "cannot read events");
	return OPTS_GO_ON;
}

static int loop(struct watching *w, int stop)
{
	int fd = fiber_nl_event_fd(w->session.nl);
	int status;

	out_header(&w->view, stdout);
	do {
		status = take_all(w);
	} while (status == OPTS_GO_ON && stop_wait(stop, fd, -1) != STOP_ASKED);
	return status == OPTS_GO_ON ? CTL_OK : status;
}

static void push_filter(const struct watching *w,
			struct fiber_nl_event_filter *filter)
{
	struct fiber_nl_filter pushed = { 0 };

	expr_push(w->view.filter, &pushed);
	filter->pid = w->opts->n_pids == 1 ? w->opts->pids[0] : pushed.pid;
	filter->has_uid = pushed.has_uid;
	filter->uid = pushed.uid;
}

static int subscribe(struct watching *w, uint32_t types)
{
	struct fiber_nl_event_filter filter = { .types = types };
	int status = CTL_REFUSED;
	int stop;

	push_filter(w, &filter);
	stop = stop_open();
	if (stop < 0)
		return status;
	if (fiber_nl_subscribe(w->session.nl, &filter)) {
		complain_nl(w->session.nl, "cannot watch");
	} else {
		status = loop(w, stop);
		fiber_nl_unsubscribe(w->session.nl);
	}
	stop_close(stop);
	return status;
}

static int run(const struct opts *opts, const struct command *cmd)
{
	struct watching w = { .opts = opts };
	uint32_t types = PROCESS_EVENTS | (opts->threads ? THREAD_EVENTS : 0);
	int status;

	if (opts->events)
		types = parse_events(opts->events);
	if (!types)
		return opts_usage(cmd, "'%s' is not a list of events",
				  opts->events);
	status = view_init(
		&w.view, opts, cmd, VIEW_EVENTS,
		types & THREAD_EVENTS ? THREAD_COLUMNS : PROCESS_COLUMNS, NULL);
	if (status == OPTS_GO_ON) {
		status = session_open(&w.session);
		if (!status)
			status = subscribe(&w, types);
		session_close(&w.session);
	}
	view_free(&w.view);
	return status;
}

int cmd_watch(const struct command *cmd, int argc, char **argv)
{
	return opts_run(cmd, argc, argv, run);
}
