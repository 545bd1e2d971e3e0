/* SPDX-License-Identifier: MIT */
/*
 * What can be said of a log2 histogram.
 */
#ifndef CTL_HIST_MATH_H
#define CTL_HIST_MATH_H

#include <fiber/nl.h>

uint64_t hist_from_ns(unsigned int bucket);
uint64_t hist_to_ns(unsigned int bucket);
uint64_t hist_percentile(const struct fiber_nl_hist *hist, double percent);
void hist_since(struct fiber_nl_hist *out, const struct fiber_nl_hist *now,
		const struct fiber_nl_hist *before);

#endif /* CTL_HIST_MATH_H */
