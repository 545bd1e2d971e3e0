/* SPDX-License-Identifier: MIT */
/*
 * How histograms are printed.
 */
#ifndef CTL_HIST_H
#define CTL_HIST_H

#include <stdio.h>

#include "opts.h"

/* What one print shows: since the watch began, or of one interval. */
struct hist_frame {
	struct fiber_nl_watch_stats stats;
	uint64_t ns; /* so long was counted */
	unsigned int number; /* of the frame, from 0 */
};

void hist_print(const struct hist_frame *frame, const struct opts *opts,
		FILE *out);

#endif /* CTL_HIST_H */
