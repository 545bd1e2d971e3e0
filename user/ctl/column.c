// SPDX-License-Identifier: MIT
/*
 * What a column's value is, in each form.
 */
#include <inttypes.h>
#include <string.h>

#include "column.h"
#include "fmt.h"

/* In tabs and JSON the unit is part of the name. */
void column_key(const struct column *column, char *key, size_t size)
{
	const char *unit = "";

	if (column->type == COL_NS || column->type == COL_CLOCK)
		unit = "_ns";
	else if (column->type == COL_BYTES)
		unit = "_bytes";
	snprintf(key, size, "%s%s", column->name, unit);
}

bool column_is_left(const struct column *column)
{
	return column->type == COL_TEXT;
}

/* What a thread's record must be asked for. */
unsigned int column_want(const struct column *column)
{
	if (column->has & HAS_SCHEDSTATS)
		return FIBER_NL_WANT_SCHEDSTATS;
	if (column->has & HAS_CPUS)
		return FIBER_NL_WANT_AFFINITY;
	return 0;
}

const struct column *column_find(const char *name, size_t len)
{
	const struct column *column = NULL;
	char key[FMT_SIZE];

	while ((column = column_next(column))) {
		if (strlen(column->name) == len &&
		    !memcmp(column->name, name, len))
			return column;
		column_key(column, key, sizeof(key));
		if (strlen(key) == len && !memcmp(key, name, len))
			return column;
	}
	return NULL;
}

/* Every column that rows with @has may have a value in. */
void columns_help(FILE *out, unsigned int has)
{
	const struct column *column = NULL;
	char key[FMT_SIZE];

	while ((column = column_next(column))) {
		if (!(column->has & has))
			continue;
		column_key(column, key, sizeof(key));
		fprintf(out, "%-12s %-16s %s\n", column->name, key,
			column->doc);
	}
}

struct value column_value(const struct column *column, const struct task *task,
			  char *scratch)
{
	const char *field = (const char *)task + column->offset;
	struct value value = { .type = VALUE_NONE };

	if (!(column->has & task->has))
		return value;
	switch (column->type) {
	case COL_TEXT:
		value.type = VALUE_TEXT;
		value.text = column->text(task, scratch);
		break;
	case COL_INT:
		value.type = VALUE_I64;
		memcpy(&value.i64, field, sizeof(value.i64));
		break;
	case COL_PERCENT:
	case COL_RATE:
		value.type = VALUE_DOUBLE;
		memcpy(&value.real, field, sizeof(value.real));
		break;
	default:
		value.type = VALUE_U64;
		memcpy(&value.u64, field, sizeof(value.u64));
	}
	return value;
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* A row without a value is before all others. */
int column_compare(const struct column *column, const struct task *a,
		   const struct task *b)
{
	char scratch_a[FMT_SIZE];
	char scratch_b[FMT_SIZE];
	struct value x = column_value(column, a, scratch_a);
	struct value y = column_value(column, b, scratch_b);

	if (x.type == VALUE_NONE || y.type == VALUE_NONE)
		return ORDER(x.type, y.type);
	switch (x.type) {
	case VALUE_U64:
		return ORDER(x.u64, y.u64);
	case VALUE_I64:
		return ORDER(x.i64, y.i64);
	case VALUE_DOUBLE:
		return ORDER(x.real, y.real);
	default:
		return strcmp(x.text, y.text);
	}
}

static void human_u64(const struct column *column, uint64_t value, FILE *out)
{
	char text[FMT_SIZE];

	if (column->type == COL_NS)
		fmt_ns(text, sizeof(text), value);
	else if (column->type == COL_CLOCK)
		fmt_clock(text, sizeof(text), value);
	else if (column->type == COL_BYTES)
		fmt_bytes(text, sizeof(text), value);
	else
		snprintf(text, sizeof(text), "%" PRIu64, value);
	fputs(text, out);
}

void column_human(const struct column *column, const struct task *task,
		  FILE *out)
{
	char scratch[FMT_SIZE];
	struct value value = column_value(column, task, scratch);

	switch (value.type) {
	case VALUE_NONE:
		fputc('-', out);
		break;
	case VALUE_U64:
		human_u64(column, value.u64, out);
		break;
	case VALUE_I64:
		fprintf(out, "%" PRId64, value.i64);
		break;
	case VALUE_DOUBLE:
		fprintf(out, value.real < 99.95 ? "%.1f" : "%.0f", value.real);
		break;
	case VALUE_TEXT:
		fmt_escaped(out, value.text);
	}
}

void column_raw(const struct column *column, const struct task *task, FILE *out)
{
	char scratch[FMT_SIZE];
	struct value value = column_value(column, task, scratch);

	switch (value.type) {
	case VALUE_NONE:
		fputc('-', out);
		break;
	case VALUE_U64:
		fprintf(out, "%" PRIu64, value.u64);
		break;
	case VALUE_I64:
		fprintf(out, "%" PRId64, value.i64);
		break;
	case VALUE_DOUBLE:
		fprintf(out, "%.3f", value.real);
		break;
	case VALUE_TEXT:
		fmt_escaped(out, value.text);
	}
}
