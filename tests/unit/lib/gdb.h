/* SPDX-License-Identifier: MIT */
/*
 * What a debugger sees of a test.
 */
#ifndef GDB_H
#define GDB_H

#include <stddef.h>

#ifdef __x86_64__
#define GDB_FP "rbp"
#else
#define GDB_FP "x29"
#endif

/*
 * What gdb says to the commands once a test of this program, run by it, has come
 * to stop_here(). Skips where there is no gdb, or it may not trace.
 */
void gdb_ask(const char *test, const char *commands, char *said, size_t size);

/* The last frame of the backtrace is the root, and nothing is strange about it. */
void gdb_check_root(const char *said);

#endif /* GDB_H */
