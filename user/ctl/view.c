// SPDX-License-Identifier: MIT
/*
 * Columns, sort and filter from the options, and rows by them.
 */
#include <stdlib.h>
#include <string.h>

#include "view.h"

static bool add_column(struct view *view, const struct column *column)
{
	size_t i;

	for (i = 0; i < view->n_columns; i++) {
		if (view->columns[i] == column)
			return true;
	}
	if (view->n_columns == COLUMNS_MAX)
		return false;
	view->columns[view->n_columns++] = column;
	return true;
}

/* A column that rows with @has can have a value in, or NULL and why. */
static const struct column *find(const char *name, size_t len, unsigned int has,
				 char *why)
{
	const struct column *column = column_find(name, len);

	if (!column)
		snprintf(why, WHY_SIZE,
			 "no such column '%.*s'; -o help lists them",
			 (int)(len < 40 ? len : 40), name);
	else if (column->has & has)
		return column;
	else
		snprintf(why, WHY_SIZE, "column '%s' has no value here%s",
			 column->name,
			 column->has & HAS_THREAD ? "; with -H it has" : "");
	return NULL;
}

/*
 * Every column that comes unasked: what a thread must be asked for is shown
 * when it is named.
 */
static void add_all(struct view *view, unsigned int has)
{
	const struct column *column = NULL;

	while ((column = column_next(column))) {
		if (column->has & has && !column_want(column))
			add_column(view, column);
	}
}

static bool add_columns(struct view *view, const char *list, unsigned int has,
			char *why)
{
	const struct column *column;
	size_t len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if (len == 3 && !memcmp(list, "all", 3)) {
			add_all(view, has);
		} else {
			column = find(list, len, has, why);
			if (!column)
				return false;
			if (!add_column(view, column)) {
				snprintf(why, WHY_SIZE, "too many columns");
				return false;
			}
		}
		if (!list[len])
			return true;
	}
}

/* What +COL adds stands before the name, whose width is anything. */
static bool insert_columns(struct view *view, const char *list,
			   unsigned int has, char *why)
{
	const struct column *comm = column_find("comm", 4);

	if (view->n_columns && view->columns[view->n_columns - 1] == comm)
		view->n_columns--;
	else
		comm = NULL;
	if (!add_columns(view, list, has, why))
		return false;
	return !comm || add_column(view, comm);
}

/* A leading + keeps what is shown anyway. JSON shows all unless told. */
static bool set_columns(struct view *view, const char *ours, unsigned int has,
			char *why)
{
	const char *asked = view->opts->columns;

	if (asked && *asked != '+')
		return add_columns(view, asked, has, why);
	if (view->opts->json)
		add_all(view, has);
	else if (!add_columns(view, ours, has, why))
		return false;
	return !asked || insert_columns(view, asked + 1, has, why);
}

/* COL,... with - before what is sorted from the largest. */
bool view_set_sort(struct view *view, const char *list, unsigned int has,
		   char *why)
{
	const struct column *column;
	struct sort_key keys[SORTS_MAX];
	size_t n = 0;
	size_t len;
	bool down;

	for (;; list += len + 1) {
		down = *list == '-';
		list += down || *list == '+';
		len = strcspn(list, ",");
		if (n == SORTS_MAX) {
			snprintf(why, WHY_SIZE, "too many columns to sort by");
			return false;
		}
		column = find(list, len, has, why);
		if (!column)
			return false;
		keys[n++] = (struct sort_key){ column, down };
		if (!list[len])
			break;
	}
	memcpy(view->sorts, keys, n * sizeof(keys[0]));
	view->n_sorts = n;
	return true;
}

static bool set_filter(struct view *view, unsigned int has, char *why)
{
	if (!view->opts->filter)
		return true;
	view->filter = expr_parse(view->opts->filter, has, why, WHY_SIZE);
	return view->filter != NULL;
}

/*
 * @has: what the rows may have; @columns: shown unless asked otherwise; @sort:
 * likewise, or NULL for the order in which they come. False: @why says why.
 */
bool view_make(struct view *view, const struct opts *opts, unsigned int has,
	       const char *columns, const char *sort, char *why)
{
	*view = (struct view){ .opts = opts };
	if (opts->sort)
		sort = opts->sort;
	return set_columns(view, columns, has, why) &&
	       (!sort || view_set_sort(view, sort, has, why)) &&
	       set_filter(view, has, why);
}

/* The same at the start of a subcommand: OPTS_GO_ON, or an exit status. */
int view_init(struct view *view, const struct opts *opts,
	      const struct command *cmd, unsigned int has, const char *columns,
	      const char *sort)
{
	char why[WHY_SIZE];

	*view = (struct view){ .opts = opts };
	if (opts->columns && !strcmp(opts->columns, "help")) {
		columns_help(stdout, has);
		return CTL_OK;
	}
	if (view_make(view, opts, has, columns, sort, why))
		return OPTS_GO_ON;
	return opts_usage(cmd, "%s", why);
}

void view_free(struct view *view)
{
	expr_free(view->filter);
	view->filter = NULL;
}

/* What threads must be asked for, for columns, sort and filter. */
unsigned int view_want(const struct view *view)
{
	unsigned int want = expr_want(view->filter);
	size_t i;

	for (i = 0; i < view->n_columns; i++)
		want |= column_want(view->columns[i]);
	for (i = 0; i < view->n_sorts; i++)
		want |= column_want(view->sorts[i].column);
	return want;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct task *x = *(struct task *const *)a;
	const struct task *y = *(struct task *const *)b;
	const struct view *view = arg;
	size_t i;
	int order;

	for (i = 0; i < view->n_sorts; i++) {
		order = column_compare(view->sorts[i].column, x, y);
		if (order)
			return view->sorts[i].down ? -order : order;
	}
	/* Equal rows stay in the order in which they came. */
	return (x > y) - (x < y);
}

/* The rows that pass the filter, sorted. 0, or an exit status. */
int view_select(const struct view *view, struct tasks *tasks, struct rows *rows)
{
	struct task **v;
	size_t i;

	v = realloc(rows->v, (tasks->n + 1) * sizeof(struct task *));
	if (!v) {
		complain("out of memory");
		return CTL_REFUSED;
	}
	rows->v = v;
	rows->n = 0;
	for (i = 0; i < tasks->n; i++) {
		if (expr_match(view->filter, &tasks->v[i]))
			rows->v[rows->n++] = &tasks->v[i];
	}
	if (view->n_sorts)
		qsort_r(rows->v, rows->n, sizeof(struct task *), compare,
			(void *)(uintptr_t)view);
	return CTL_OK;
}

void rows_free(struct rows *rows)
{
	free(rows->v);
	*rows = (struct rows){ 0 };
}
