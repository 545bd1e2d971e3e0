/* SPDX-License-Identifier: MIT */
/* Loads and unloads the module, by the system calls themselves. */
#ifndef SELF_MODULE_H
#define SELF_MODULE_H

#include <stdbool.h>

/*
 * The file that the module was loaded from, or would be. NULL without one:
 * then the module cannot be loaded again, and must not be unloaded.
 */
const char *module_file(void);

int module_load(void); /* 0 or -errno */
int module_unload(void); /* 0 or -errno; never waits for users */
bool module_loaded(void);

#endif
