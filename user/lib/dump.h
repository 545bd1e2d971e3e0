/* SPDX-License-Identifier: MIT */
/*
 * The dump of all fibers, as text.
 *
 * MODEL. A thread of its own writes it: what names functions wants more stack than
 * fibers have. One dump is written at a time, with what memory that takes there
 * once; it grows with the program's files, not with the number of fibers. Equal
 * stacks are written once, with a number, and counted at the end.
 */
#ifndef FIBER_DUMP_H
#define FIBER_DUMP_H

/* Have it written some time, and wait for nothing. 0, or -errno. */
int _fiber_dump_begin(int fd, unsigned int flags);

/* In the child of a fork: the thread that wrote is not here. */
void _fiber_dump_forget(void);

#endif /* FIBER_DUMP_H */
