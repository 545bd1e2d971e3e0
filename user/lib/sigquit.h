/* SPDX-License-Identifier: MIT */
/*
 * FIBER_DEBUG=sigquit: SIGQUIT has all fibers written to standard error.
 *
 * The handler tells the monitor, which starts the thread that writes. An earlier
 * handler is called too; the default action, to end with a core, is not taken.
 */
#ifndef FIBER_SIGQUIT_H
#define FIBER_SIGQUIT_H

/* debugenv.c. */
int _fiber_sigquit_set(const char *value);

/* If it was asked for. The runtime starts, or has stopped. */
void _fiber_sigquit_init(void);
void _fiber_sigquit_exit(void);

#endif /* FIBER_SIGQUIT_H */
