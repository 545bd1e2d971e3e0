// SPDX-License-Identifier: MIT
/*
 * Options: one table for parsing and for help.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "opts.h"

#define LISTS (CMD_PS | CMD_THREADS | CMD_TOP | CMD_WATCH | CMD_TREE)
#define READS (LISTS | CMD_STATUS | CMD_HIST)

/* Options without a letter. */
enum {
	OPT_NO_HEADER = 256,
	OPT_RUNQ,
	OPT_SLICE,
	OPT_OFFCPU,
};

static const struct opt {
	int letter;
	const char *name;
	const char *arg;
	unsigned int allow;
	const char *help;
} table[] = {
	{ 'o', "columns", "COL,...", LISTS,
	  "show these columns; +COL adds, `all` is all, `help` lists them" },
	{ 's', "sort", "[-]COL,...", LISTS & ~CMD_WATCH,
	  "sort by these columns; - is from the largest" },
	{ 'f', "filter", "EXPR", LISTS,
	  "only rows for which it holds: 'runtime > 1s && user == root'" },
	{ 'p', "pid", "PID,...", LISTS, "only these processes" },
	{ 'H', "threads", NULL, LISTS & ~CMD_THREADS, "threads, too" },
	{ 'e', "events", "EVENT,...", CMD_WATCH,
	  "only these: fork exec exit thread-create thread-exit" },
	{ 'b', "batch", NULL, CMD_TOP, "write frames rather than a screen" },
	{ 'n', "frames", "N", CMD_TOP, "end after N frames" },
	{ 'd', "delay", "SECS", CMD_TOP,
	  "seconds between frames, 1 unless given" },
	{ OPT_RUNQ, "runq", NULL, CMD_HIST, "the wait for a CPU" },
	{ OPT_SLICE, "slice", NULL, CMD_HIST, "the time on a CPU" },
	{ OPT_OFFCPU, "offcpu", NULL, CMD_HIST,
	  "the time off CPU: asleep, in disk sleep, preempted" },
	{ 'd', "duration", "SECS", CMD_HIST,
	  "count so long, rather than until interrupted" },
	{ 'i', "interval", "SECS", CMD_HIST, "print what each interval had" },
	{ 'j', "json", NULL, READS, "write JSON, with raw numbers" },
	{ 't', "tab", NULL, READS,
	  "write tabs: stable, raw numbers, for scripts" },
	{ OPT_NO_HEADER, "no-header", NULL, READS, "no line of headers" },
	{ 'h', "help", NULL, CMD_ALL, "say this" },
};

#define OPTS (sizeof(table) / sizeof(table[0]))

static void print_help(const struct command *cmd, FILE *out)
{
	char left[48];
	size_t i;

	fprintf(out, "usage: fiberctl %s%s%s\n%s.\n\n", cmd->name,
		*cmd->args ? " " : "", cmd->args, cmd->help);
	for (i = 0; i < OPTS; i++) {
		const struct opt *opt = &table[i];

		if (!(opt->allow & cmd->bit))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", opt->name,
			 opt->arg ? " " : "", opt->arg ? opt->arg : "");
		if (opt->letter < 256)
			fprintf(out, "  -%c, %-22s %s\n", opt->letter, left,
				opt->help);
		else
			fprintf(out, "      %-22s %s\n", left, opt->help);
	}
}

int opts_usage(const struct command *cmd, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "fiberctl %s: ", cmd->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see fiberctl %s --help\n", cmd->name);
	return CTL_USAGE;
}

static bool parse_u32(const char *text, uint32_t *value)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	*value = (uint32_t)number;
	return *text >= '0' && *text <= '9' && !*end && !errno && number &&
	       number <= INT32_MAX;
}

/* Seconds, with a fraction, up to a year. */
static bool parse_seconds(const char *text, uint64_t *ns)
{
	double s;
	char *end;

	s = strtod(text, &end);
	if (*end || end == text || !(s >= 0.01 && s <= 366 * 86400.0))
		return false;
	*ns = (uint64_t)(s * 1e9);
	return true;
}

/* Adds PID,PID,...; 0, or -errno with nothing said. */
int opts_add_pids(struct opts *opts, const char *list)
{
	char *copy = strdup(list);
	char *rest = copy;
	char *word;
	uint32_t *pids;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (word = strsep(&rest, ","))) {
		pids = realloc(opts->pids, (opts->n_pids + 1) * sizeof(*pids));
		if (!pids) {
			err = -ENOMEM;
			break;
		}
		opts->pids = pids;
		if (opts->n_pids == PIDS_MAX)
			err = -E2BIG;
		else if (!parse_u32(word, &pids[opts->n_pids]))
			err = -EINVAL;
		else
			opts->n_pids++;
	}
	free(copy);
	return err;
}

static bool parse_delay(struct opts *opts, const struct command *cmd)
{
	return parse_seconds(optarg, cmd->bit == CMD_TOP ? &opts->delay_ns :
							   &opts->duration_ns);
}

/* False when the option's argument makes no sense. */
static bool take(struct opts *opts, const struct command *cmd, int letter)
{
	switch (letter) {
	case 'o':
		opts->columns = optarg;
		return true;
	case 's':
		opts->sort = optarg;
		return true;
	case 'f':
		opts->filter = optarg;
		return true;
	case 'e':
		opts->events = optarg;
		return true;
	case 'p':
		return !opts_add_pids(opts, optarg);
	case 'H':
		opts->threads = true;
		return true;
	case 'b':
		opts->batch = true;
		return true;
	case 'n':
		return parse_u32(optarg, &opts->frames);
	case 'd':
		return parse_delay(opts, cmd);
	case 'i':
		return parse_seconds(optarg, &opts->interval_ns);
	case 'j':
		opts->json = true;
		return true;
	case 't':
		opts->tab = true;
		return true;
	case OPT_NO_HEADER:
		opts->no_header = true;
		return true;
	case OPT_RUNQ:
		opts->hists |= 1u << FIBER_NL_HIST_RUNQ;
		return true;
	case OPT_SLICE:
		opts->hists |= 1u << FIBER_NL_HIST_SLICE;
		return true;
	default:
		opts->hists |= 1u << FIBER_NL_HIST_SLEEP |
			       1u << FIBER_NL_HIST_DISK |
			       1u << FIBER_NL_HIST_PREEMPTED;
		return true;
	}
}

/* What getopt_long() wants, of the options that @cmd has. */
static void build(const struct command *cmd, struct option *longs, char *shorts)
{
	size_t i;

	*shorts++ = ':';
	for (i = 0; i < OPTS; i++) {
		const struct opt *opt = &table[i];

		if (!(opt->allow & cmd->bit))
			continue;
		*longs++ = (struct option){ opt->name,
					    opt->arg ? required_argument :
						       no_argument,
					    NULL, opt->letter };
		if (opt->letter >= 256)
			continue;
		*shorts++ = (char)opt->letter;
		if (opt->arg)
			*shorts++ = ':';
	}
	*shorts = '\0';
	*longs = (struct option){ 0 };
}

/* argv[0] is the subcommand. */
int opts_parse(struct opts *opts, const struct command *cmd, int argc,
	       char **argv)
{
	struct option longs[OPTS + 1];
	char shorts[2 * OPTS + 2];
	int letter;

	*opts = (struct opts){ 0 };
	build(cmd, longs, shorts);
	opterr = 0;
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (letter == 'h') {
			print_help(cmd, stdout);
			return CTL_OK;
		}
		if (letter == '?')
			return opts_usage(cmd, "no option '%s'",
					  argv[optind - 1]);
		if (letter == ':')
			return opts_usage(cmd, "'%s' wants an argument",
					  argv[optind - 1]);
		if (!take(opts, cmd, letter))
			return opts_usage(cmd,
					  "'%s' makes no sense for this option",
					  optarg);
	}
	if (opts->json && opts->tab)
		return opts_usage(cmd, "--json or --tab, not both");
	opts->args = argv + optind;
	opts->n_args = argc - optind;
	return OPTS_GO_ON;
}

void opts_free(struct opts *opts)
{
	free(opts->pids);
	opts->pids = NULL;
}

int opts_run(const struct command *cmd, int argc, char **argv, opts_run_fn *run)
{
	struct opts opts;
	int status;

	status = opts_parse(&opts, cmd, argc, argv);
	if (status == OPTS_GO_ON && opts.n_args)
		status = opts_usage(cmd,
				    "'%s' is too much; -p PID names a process",
				    opts.args[0]);
	if (status == OPTS_GO_ON)
		status = run(&opts, cmd);
	opts_free(&opts);
	return status;
}
