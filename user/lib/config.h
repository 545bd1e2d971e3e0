/* SPDX-License-Identifier: MIT */
/*
 * What the system suggests for a configuration.
 */
#ifndef FIBER_CONFIG_H
#define FIBER_CONFIG_H

/*
 * CPUs that this process may use at a time: those of its affinity, but not more
 * than the quota of its cgroup pays for, rounded up. At least 1.
 */
unsigned int _fiber_config_cpus(void);

#endif /* FIBER_CONFIG_H */
