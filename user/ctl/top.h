/* SPDX-License-Identifier: MIT */
/*
 * Frames of top, for batch and screen.
 */
#ifndef CTL_TOP_H
#define CTL_TOP_H

#include "view.h"

struct top {
	struct session session;
	const struct opts *opts;
	struct view view;
	struct query query;
	struct tasks now, before;
	struct rows rows; /* of the frame */
	uint64_t interval_ns; /* that the frame is of */
	uint64_t delay_ns; /* between frames */
	uint64_t states[FIBER_NL_STATES]; /* tasks in each state */
	double cpu_pct, delay_pct, switches; /* of all tasks */
	bool hide_kernel;
};

bool top_set_view(struct top *top, bool threads, char *why);
int top_read(struct top *top);
int top_select(struct top *top);
void top_summary(const struct top *top, FILE *out);
const char *top_list(const struct top *top);
unsigned int top_has(const struct top *top);

/* top_screen.c */
int top_screen(struct top *top, int stop);

#endif /* CTL_TOP_H */
