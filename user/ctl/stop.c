// SPDX-License-Identifier: MIT
/*
 * Waiting that SIGINT and SIGTERM end.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "stop.h"

/* From here on the two signals only end waits. -1 after a complaint. */
int stop_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		complain("cannot wait for signals: %s", strerror(errno));
	return fd;
}

void stop_close(int stop)
{
	close(stop);
}

/* Wait for @fd (-1: none) to be readable, at most @ns (< 0: for ever). */
enum stop_reason stop_wait(int stop, int fd, int64_t ns)
{
	struct pollfd pfds[2] = { { .fd = stop, .events = POLLIN },
				  { .fd = fd, .events = POLLIN } };
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };
	int ready = ppoll(pfds, 2, ns < 0 ? NULL : &ts, NULL);

	if (ready == 0)
		return STOP_TIME;
	if (ready > 0 && pfds[0].revents)
		return STOP_ASKED;
	return STOP_READY;
}
