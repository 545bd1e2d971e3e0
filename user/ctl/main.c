// SPDX-License-Identifier: MIT
/*
 * fiberctl: the table of subcommands.
 */
#include <locale.h>
#include <string.h>

#include "cmd.h"

/* In the order of help, man page and completion. */
static const struct command commands[] = {
	{ "load", cmd_load, "[FIBER.KO]", "Load the kernel module", CMD_LOAD },
	{ "unload", cmd_unload, "", "Unload the kernel module", CMD_UNLOAD },
	{ "status", cmd_status, "[OPTIONS]",
	  "Show the module, what the kernel gives it, and who uses it",
	  CMD_STATUS },
	{ "ps", cmd_ps, "[OPTIONS]", "List processes", CMD_PS },
	{ "threads", cmd_threads, "[OPTIONS] [PID...]",
	  "List threads, of all processes or of some", CMD_THREADS },
	{ "top", cmd_top, "[OPTIONS]",
	  "Show what runs and waits, as shares of each interval", CMD_TOP },
	{ "hist", cmd_hist, "[OPTIONS] [PID]",
	  "Count histograms of scheduling delays, of a process or the system",
	  CMD_HIST },
	{ "watch", cmd_watch, "[OPTIONS]",
	  "Show processes and threads as they come and go", CMD_WATCH },
	{ "tree", cmd_tree, "[OPTIONS]", "Show processes under their parents",
	  CMD_TREE },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	size_t i;

	fputs("usage: fiberctl COMMAND [OPTIONS]\n"
	      "Scheduling statistics of processes and threads.\n\n",
	      out);
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\nfiberctl COMMAND --help says more. A command may be cut short.\n",
	      out);
}

/* By name, or by the beginning of one name only. */
static const struct command *find(const char *name)
{
	const struct command *found = NULL;
	size_t len = strlen(name);
	size_t i;

	for (i = 0; i < COMMANDS; i++) {
		if (strncmp(commands[i].name, name, len))
			continue;
		if (!commands[i].name[len])
			return &commands[i];
		if (found) {
			complain("'%s' may be %s or %s", name, found->name,
				 commands[i].name);
			return NULL;
		}
		found = &commands[i];
	}
	if (!found)
		complain("no command '%s'; fiberctl --help lists them", name);
	return found;
}

static bool is(const char *arg, const char *name, const char *letter)
{
	return !strcmp(arg, name) || !strcmp(arg, letter);
}

static int run(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2 || !*argv[1]) {
		print_help(stderr);
		return CTL_USAGE;
	}
	if (is(argv[1], "--version", "-V")) {
		puts("fiberctl " FIBER_VERSION);
		return CTL_OK;
	}
	if (is(argv[1], "--help", "-h") || !strcmp(argv[1], "help")) {
		if (argc == 2) {
			print_help(stdout);
			return CTL_OK;
		}
		cmd = find(argv[2]);
		return cmd ? cmd->fn(cmd, 2,
				     (char *[]){ argv[2], "--help", NULL }) :
			     CTL_USAGE;
	}
	cmd = find(argv[1]);
	return cmd ? cmd->fn(cmd, argc - 1, argv + 1) : CTL_USAGE;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	return finish_output(stdout, run(argc, argv));
}
