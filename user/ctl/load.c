// SPDX-License-Identifier: MIT
/*
 * fiberctl load
 */
#include "opts.h"

int cmd_load(const struct command *cmd, int argc, char **argv)
{
	struct opts opts;
	const char *path;
	char why[256];
	int status;
	int err;

	status = opts_parse(&opts, cmd, argc, argv);
	if (status != OPTS_GO_ON)
		return status;
	if (opts.n_args > 1)
		return opts_usage(cmd, "one file at most");
	path = opts.n_args ? opts.args[0] : NULL;
	err = fiber_mod_load(path, why, sizeof(why));
	if (err == 1)
		fputs("fiberctl: the fiber module was loaded already\n",
		      stderr);
	if (err >= 0)
		return CTL_OK;
	complain("cannot load %s: %s", path ? path : "the fiber module", why);
	return CTL_REFUSED;
}
