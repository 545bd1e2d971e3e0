// SPDX-License-Identifier: MIT
/*
 * The handler of SIGQUIT.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include <fiber/base.h>

#include "dump.h"
#include "monitor.h"
#include "sigquit.h"

static bool wanted; /* as it is said before it starts */
static bool installed;
static struct sigaction earlier;

int _fiber_sigquit_set(const char *value)
{
	if (value && *value)
		return -EINVAL;
	wanted = !value;
	return 0;
}

static void dump(void)
{
	int err = _fiber_dump_begin(STDERR_FILENO, NULL, 0);

	if (err)
		fprintf(stderr, "fiber: no dump: %s\n", fiber_strerror(err));
}

static void handle(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	_fiber_monitor_ask(dump);
	if (earlier.sa_flags & SA_SIGINFO)
		earlier.sa_sigaction(sig, info, context);
	else if (earlier.sa_handler != SIG_DFL && earlier.sa_handler != SIG_IGN)
		earlier.sa_handler(sig);
	errno = saved;
}

void _fiber_sigquit_init(void)
{
	struct sigaction action;

	if (!wanted || installed || sigaction(SIGQUIT, NULL, &earlier))
		return;
	action = (struct sigaction){
		.sa_sigaction = handle,
		.sa_mask = earlier.sa_mask,
		.sa_flags = SA_SIGINFO | SA_RESTART |
			    (earlier.sa_flags & SA_ONSTACK),
	};
	installed = !sigaction(SIGQUIT, &action, NULL);
}

void _fiber_sigquit_exit(void)
{
	struct sigaction now;

	if (installed && !sigaction(SIGQUIT, NULL, &now) &&
	    now.sa_sigaction == handle) {
		sigaction(SIGQUIT, &earlier, NULL);
		installed = false;
	}
}
