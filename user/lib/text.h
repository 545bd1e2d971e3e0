/* SPDX-License-Identifier: MIT */
/*
 * Text on its way to a file descriptor, by write() alone.
 */
#ifndef FIBER_TEXT_H
#define FIBER_TEXT_H

#include <stddef.h>

#define FIBER_TEXT_ROOM 16384
/* The longest that is added at once; what is longer is cut. */
#define FIBER_TEXT_PIECE 2048

struct fiber_text {
	int fd;
	int err; /* of the first write that failed: nothing is written after */
	size_t len;
	char room[FIBER_TEXT_ROOM];
};

void _fiber_text_init(struct fiber_text *text, int fd);
void _fiber_text_add(struct fiber_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Write what there is. 0, or the error. */
int _fiber_text_flush(struct fiber_text *text);

#endif /* FIBER_TEXT_H */
