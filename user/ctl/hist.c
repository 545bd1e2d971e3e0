// SPDX-License-Identifier: MIT
/*
 * fiberctl hist: count for a while, print, and end the watch.
 */
#include <time.h>

#include "hist.h"
#include "hist_math.h"
#include "stop.h"
#include "task.h"

/* How often to look whether the watched process has exited. */
#define LOOK_NS 500000000

struct counting {
	struct fiber_nl *nl;
	const struct opts *opts;
	uint32_t id;
	int stop;
	unsigned int frames;
	struct fiber_nl_watch_stats before; /* the last frame's, or 0 */
};

/* Print what the last interval had: without --interval that is everything. */
static void print_frame(struct counting *c,
			const struct fiber_nl_watch_stats *now)
{
	struct hist_frame frame = { .stats = *now, .number = c->frames++ };
	unsigned int kind;

	frame.ns = now->since_ns - c->before.since_ns;
	frame.stats.lost = now->lost - c->before.lost;
	for (kind = 0; kind < FIBER_NL_HIST_KINDS; kind++)
		hist_since(&frame.stats.hist[kind], &now->hist[kind],
			   &c->before.hist[kind]);
	hist_print(&frame, c->opts, stdout);
	c->before = *now;
}

/* When to wake: for the next frame, the end, or a look; < 0: never. */
static int64_t next_wake(const struct counting *c, uint64_t now, uint64_t frame,
			 uint64_t end)
{
	uint64_t wake = UINT64_MAX;

	if (c->opts->n_pids)
		wake = now + LOOK_NS;
	if (frame < wake)
		wake = frame;
	if (end < wake)
		wake = end;
	if (wake == UINT64_MAX)
		return -1;
	return wake > now ? (int64_t)(wake - now) : 0;
}

/* Until the time is over, the user asks, or the process has exited. */
static int count(struct counting *c)
{
	const struct opts *opts = c->opts;
	struct fiber_nl_watch_stats stats;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	uint64_t end = opts->duration_ns ? now + opts->duration_ns : UINT64_MAX;
	uint64_t frame = opts->interval_ns ? now + opts->interval_ns :
					     UINT64_MAX;
	bool over;

	do {
		over = stop_wait(c->stop, -1, next_wake(c, now, frame, end)) ==
		       STOP_ASKED;
		now = clock_ns(CLOCK_MONOTONIC);
		if (fiber_nl_hist(c->nl, c->id, &stats))
			return complain_nl(c->nl, "cannot read the histograms");
		over = over || stats.ended || now >= end;
		if (over || now >= frame)
			print_frame(c, &stats);
		while (now >= frame)
			frame += opts->interval_ns;
	} while (!over && !ferror(stdout));
	if (stats.ended)
		fprintf(stderr, "fiberctl: process %u has exited\n", stats.pid);
	return CTL_OK;
}

static int watch_and_count(struct counting *c, uint32_t pid)
{
	char what[48] = "cannot watch the whole system";
	int status;

	if (pid)
		snprintf(what, sizeof(what), "cannot watch process %u", pid);
	if (fiber_nl_watch(c->nl, pid, c->opts->hists, &c->id))
		return complain_nl(c->nl, what);
	if (!c->opts->duration_ns)
		fputs("fiberctl: counting; Ctrl-C ends it\n", stderr);
	status = count(c);
	fiber_nl_unwatch(c->nl, c->id);
	return status;
}

static int run(const struct opts *opts)
{
	struct counting c = { .opts = opts };
	int status;
	int err;

	err = fiber_nl_open(&c.nl);
	if (err)
		return complain_open(err);
	c.stop = stop_open();
	status = CTL_REFUSED;
	if (c.stop >= 0) {
		status = watch_and_count(&c, opts->n_pids ? opts->pids[0] : 0);
		stop_close(c.stop);
	}
	fiber_nl_close(c.nl);
	return status;
}

int cmd_hist(const struct command *cmd, int argc, char **argv)
{
	struct opts opts;
	int status;

	status = opts_parse(&opts, cmd, argc, argv);
	if (status == OPTS_GO_ON && opts.n_args > 1)
		status = opts_usage(cmd, "one process at most");
	if (status == OPTS_GO_ON && opts.n_args &&
	    (opts_add_pids(&opts, opts.args[0]) || opts.n_pids > 1))
		status = opts_usage(cmd, "'%s' is not a PID", opts.args[0]);
	if (status == OPTS_GO_ON)
		status = run(&opts);
	opts_free(&opts);
	return status;
}
