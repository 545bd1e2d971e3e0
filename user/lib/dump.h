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

struct fiber;

/* No more of those that are chosen. */
#define FIBER_DUMP_SOME 32

/*
 * Have it written some time, and wait for nothing: all, or n of some, if that is
 * not 0. 0, or -errno.
 */
int _fiber_dump_begin(int fd, struct fiber *const *some, unsigned int n);

/*
 * The same, and wait for it. The runtime is not stopped meanwhile by anybody who
 * waits for the caller.
 */
int _fiber_dump_some(int fd, struct fiber *const *some, unsigned int n);

/* In the child of a fork: the thread that wrote is not here. */
void _fiber_dump_forget(void);

#endif /* FIBER_DUMP_H */
