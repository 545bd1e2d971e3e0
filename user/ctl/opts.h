/* SPDX-License-Identifier: MIT */
/*
 * Options, the same in every subcommand that has them.
 */
#ifndef CTL_OPTS_H
#define CTL_OPTS_H

#include "cmd.h"

/* Processes that -p can name. */
#define PIDS_MAX 1024

struct opts {
	bool json, tab, no_header, threads, batch;
	const char *columns, *sort, *filter, *events;
	uint32_t *pids;
	size_t n_pids;
	unsigned int frames; /* 0: until interrupted */
	uint64_t delay_ns; /* 0: not given, as the next two */
	uint64_t duration_ns;
	uint64_t interval_ns;
	uint32_t hists; /* set of enum fiber_nl_hist_kind; 0: all */
	char **args; /* what is not an option */
	int n_args;
};

/* What parsing says when the subcommand is to go on; else an exit status. */
#define OPTS_GO_ON (-1)

int opts_parse(struct opts *opts, const struct command *cmd, int argc,
	       char **argv);
void opts_free(struct opts *opts);

/* A whole subcommand that takes options only: parse, run, free. */
typedef int opts_run_fn(const struct opts *opts, const struct command *cmd);
int opts_run(const struct command *cmd, int argc, char **argv,
	     opts_run_fn *run);

int opts_add_pids(struct opts *opts, const char *list);
int opts_usage(const struct command *cmd, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* CTL_OPTS_H */
