/* SPDX-License-Identifier: MIT */
/*
 * Which rows and columns to show, in which order and form.
 */
#ifndef CTL_VIEW_H
#define CTL_VIEW_H

#include <json-c/json.h>

#include "column.h"
#include "expr.h"
#include "opts.h"

#define COLUMNS_MAX 96
#define SORTS_MAX 4

/* What rows may have, where they are processes or threads. */
#define VIEW_PROCESSES (HAS_PROCESS | HAS_RATES)
#define VIEW_THREADS \
	(HAS_THREAD | HAS_RATES | HAS_ARRIVED | HAS_SCHEDSTATS | HAS_CPUS)
#define VIEW_EVENTS                                                    \
	(HAS_EVENT | HAS_CODE | HAS_PROCESS | HAS_THREAD | HAS_RATES | \
	 HAS_ARRIVED)

/* Room for why a view cannot be had. */
#define WHY_SIZE 160

struct sort_key {
	const struct column *column;
	bool down; /* from the largest */
};

struct view {
	const struct column *columns[COLUMNS_MAX];
	size_t n_columns;
	struct sort_key sorts[SORTS_MAX];
	size_t n_sorts;
	struct expr *filter;
	const struct opts *opts;
};

/* The rows that are shown, in order. */
struct rows {
	struct task **v;
	size_t n;
};

/* view.c */
int view_init(struct view *view, const struct opts *opts,
	      const struct command *cmd, unsigned int has, const char *columns,
	      const char *sort);
bool view_make(struct view *view, const struct opts *opts, unsigned int has,
	       const char *columns, const char *sort, char *why);
void view_free(struct view *view);
unsigned int view_want(const struct view *view);
bool view_set_sort(struct view *view, const char *list, unsigned int has,
		   char *why);
int view_select(const struct view *view, struct tasks *tasks,
		struct rows *rows);
void rows_free(struct rows *rows);

/* out.c */
struct json_object *out_json_task(const struct view *view,
				  const struct task *task);
void out_json(struct json_object *object, FILE *out);
void out_rows(const struct view *view, const struct rows *rows,
	      const char *list, FILE *out);
void out_header(const struct view *view, FILE *out);
void out_row(const struct view *view, const struct task *task, FILE *out);

#endif /* CTL_VIEW_H */
