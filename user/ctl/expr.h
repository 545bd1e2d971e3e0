/* SPDX-License-Identifier: MIT */
/*
 * Filter expressions: COLUMN OP VALUE, joined by && || ! and ().
 */
#ifndef CTL_EXPR_H
#define CTL_EXPR_H

#include "column.h"

struct expr;

struct expr *expr_parse(const char *text, unsigned int has, char *why,
			size_t why_size);
void expr_free(struct expr *expr);
bool expr_match(const struct expr *expr, const struct task *task);
unsigned int expr_want(const struct expr *expr);
void expr_push(const struct expr *expr, struct fiber_nl_filter *filter);

#endif /* CTL_EXPR_H */
