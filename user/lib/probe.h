/* SPDX-License-Identifier: MIT */
/*
 * Probes: places where tools such as perf, bpftrace, SystemTap and gdb can stop.
 *
 * A probe is one nop, and a note in the file of where it is and where its
 * arguments are: in registers, on the stack, or in memory. Nobody loads anything
 * for it. So an argument is something that is at hand there, or a field of it;
 * it stands outside of locks, as who looks stops the thread there.
 *
 * fiber-probes(7) says what each means, and tests/unit/probe_test that it lists
 * all of them. Without sys/sdt.h (package systemtap-sdt-dev) there are none.
 */
#ifndef FIBER_PROBE_H
#define FIBER_PROBE_H

#if defined(__has_include) && !defined(FIBER_EXPLORE)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define FIBER_PROBE1(name, a) STAP_PROBE1(fiber, name, a)
#define FIBER_PROBE2(name, a, b) STAP_PROBE2(fiber, name, a, b)
#define FIBER_PROBE3(name, a, b, c) STAP_PROBE3(fiber, name, a, b, c)
#endif
#endif

#ifndef FIBER_PROBE1
#define FIBER_PROBE1(name, a) ((void)(a))
#define FIBER_PROBE2(name, a, b) ((void)(a), (void)(b))
#define FIBER_PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

#endif /* FIBER_PROBE_H */
