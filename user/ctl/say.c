// SPDX-License-Identifier: MIT
/*
 * Failures, each as one sentence on stderr.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "cmd.h"

void complain(const char *format, ...)
{
	va_list args;

	fputs("fiberctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* A failed call on a handle: the kernel's sentence when there is one. */
int complain_nl(const struct fiber_nl *nl, const char *what)
{
	complain("%s: %s", what, fiber_nl_error(nl));
	return CTL_REFUSED;
}

int complain_open(int err)
{
	if (err == -ENODEV)
		complain("%s; `fiberctl load` loads it, as root",
			 fiber_nl_strerror(err));
	else
		complain("cannot ask the kernel: %s", fiber_nl_strerror(err));
	return CTL_REFUSED;
}

/*
 * Flush, and turn what could not be written into the exit status. A reader
 * that went away (| head) has what it wanted.
 */
int finish_output(FILE *out, int status)
{
	if (!fflush(out) && !ferror(out))
		return status;
	if (errno != EPIPE)
		complain("cannot write: %s", strerror(errno));
	return CTL_REFUSED;
}
