/* SPDX-License-Identifier: MIT */
/*
 * The subcommands, and what each of them can do about an error.
 */
#ifndef CTL_CMD_H
#define CTL_CMD_H

#include <stdio.h>

#include <fiber/nl.h>

/* Exit statuses; part of the interface. */
enum {
	CTL_OK = 0,
	CTL_REFUSED = 1, /* not found, or refused */
	CTL_USAGE = 2,
};

struct command {
	const char *name;
	int (*fn)(const struct command *cmd, int argc, char **argv);
	const char *args; /* as the usage line has them */
	const char *help; /* one line */
	unsigned int bit; /* in the options' `allow` */
};

/* Which options a subcommand has; see opts.c. */
enum {
	CMD_LOAD = 1 << 0,
	CMD_UNLOAD = 1 << 1,
	CMD_STATUS = 1 << 2,
	CMD_PS = 1 << 3,
	CMD_THREADS = 1 << 4,
	CMD_TOP = 1 << 5,
	CMD_HIST = 1 << 6,
	CMD_WATCH = 1 << 7,
	CMD_TREE = 1 << 8,
	CMD_ALL = (1 << 9) - 1,
};

int cmd_load(const struct command *cmd, int argc, char **argv);
int cmd_unload(const struct command *cmd, int argc, char **argv);
int cmd_status(const struct command *cmd, int argc, char **argv);
int cmd_ps(const struct command *cmd, int argc, char **argv);
int cmd_threads(const struct command *cmd, int argc, char **argv);
int cmd_top(const struct command *cmd, int argc, char **argv);
int cmd_hist(const struct command *cmd, int argc, char **argv);
int cmd_watch(const struct command *cmd, int argc, char **argv);
int cmd_tree(const struct command *cmd, int argc, char **argv);

/* say.c: a sentence on stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
int complain_nl(const struct fiber_nl *nl, const char *what);
int complain_open(int err);
int finish_output(FILE *out, int status);

#endif /* CTL_CMD_H */
