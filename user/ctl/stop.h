/* SPDX-License-Identifier: MIT */
/*
 * Waiting that SIGINT and SIGTERM end, without a handler.
 */
#ifndef CTL_STOP_H
#define CTL_STOP_H

#include <stdint.h>

enum stop_reason {
	STOP_TIME, /* the time is over */
	STOP_READY, /* the descriptor has something, or a signal came */
	STOP_ASKED, /* the user wants an end */
};

int stop_open(void);
void stop_close(int stop);
enum stop_reason stop_wait(int stop, int fd, int64_t ns);

#endif /* CTL_STOP_H */
