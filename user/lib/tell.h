/* SPDX-License-Identifier: MIT */
/*
 * Telling people on standard error what fibers wait for.
 *
 * Not by stdio, whose lock somebody may hold who is part of the trouble.
 */
#ifndef FIBER_TELL_H
#define FIBER_TELL_H

#include "look.h"

/* Lines that are to come in one piece; written when full, and at the end. */
struct fiber_lines {
	size_t len;
	char buf[4096];
};

void _fiber_tell(struct fiber_lines *lines, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void _fiber_tell_end(struct fiber_lines *lines);

/* A fiber, or a thread, in a few words, without an end of line. */
void _fiber_tell_who(struct fiber_lines *lines, const struct fiber *f);
/* A line about f's wait, which look is of. */
void _fiber_tell_wait(struct fiber_lines *lines, const struct fiber *f,
		      const struct fiber_look *look);

/*
 * Where in the program f is, for people; "" if that is not known. f waits, or is
 * who calls.
 */
void _fiber_place(const struct fiber *f, char *buf, size_t size);

#endif /* FIBER_TELL_H */
