// SPDX-License-Identifier: MIT
/*
 * fiberctl unload
 */
#include "opts.h"

int cmd_unload(const struct command *cmd, int argc, char **argv)
{
	struct opts opts;
	char why[256];
	int status;

	status = opts_parse(&opts, cmd, argc, argv);
	if (status != OPTS_GO_ON)
		return status;
	if (opts.n_args)
		return opts_usage(cmd, "no arguments, please");
	if (!fiber_mod_unload(why, sizeof(why)))
		return CTL_OK;
	complain("cannot unload the fiber module: %s", why);
	return CTL_REFUSED;
}
