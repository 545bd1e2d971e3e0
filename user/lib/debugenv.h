/* SPDX-License-Identifier: MIT */
/*
 * FIBER_DEBUG: what is asked for from outside, KEY or KEY=VALUE, with commas.
 *
 * To add a key is to add it to the table in debugenv.c.
 */
#ifndef FIBER_DEBUGENV_H
#define FIBER_DEBUGENV_H

#include "why.h"

/* Read the environment variable, before anything runs. 0, or -EINVAL. */
int _fiber_debugenv_init(struct fiber_why *why);

#endif /* FIBER_DEBUGENV_H */
