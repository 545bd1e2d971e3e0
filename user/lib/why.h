/* SPDX-License-Identifier: MIT */
/*
 * Why something failed, as a sentence for people, beside the -errno.
 *
 * It lives with the caller, so that two threads that fail do not share one.
 */
#ifndef FIBER_WHY_H
#define FIBER_WHY_H

struct fiber_why {
	char text[256];
};

/* Write the sentence; returns err, so that it can be returned. */
int _fiber_why(struct fiber_why *why, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* FIBER_WHY_H */
