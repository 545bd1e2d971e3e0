/* SPDX-License-Identifier: MIT */
/*
 * The one table of columns, which text, tabs, JSON, sort and filter share.
 */
#ifndef CTL_COLUMN_H
#define CTL_COLUMN_H

#include <stdio.h>

#include "task.h"

enum column_type {
	COL_ID, /* a number that is not counted in units */
	COL_INT, /* the same, signed */
	COL_COUNT,
	COL_NS,
	COL_CLOCK, /* ns, shown as a time of day is */
	COL_BYTES,
	COL_PERCENT,
	COL_RATE, /* a second */
	COL_TEXT,
};

struct column {
	const char *name; /* in -o, sort and filter */
	const char *header;
	int width; /* at least, where lines cannot be measured */
	enum column_type type;
	unsigned int has; /* rows with any of these have a value */
	size_t offset; /* of a number, in struct task */
	/* Of a text; may write into a scratch of FMT_SIZE. */
	const char *(*text)(const struct task *task, char *scratch);
	const char *doc;
};

/* A column's value in a row. */
struct value {
	enum {
		VALUE_NONE,
		VALUE_U64,
		VALUE_I64,
		VALUE_DOUBLE,
		VALUE_TEXT
	} type;
	union {
		uint64_t u64;
		int64_t i64;
		double real;
		const char *text;
	};
};

const struct column *column_find(const char *name, size_t len);
const struct column *column_next(const struct column *column);
void column_key(const struct column *column, char *key, size_t size);
bool column_is_left(const struct column *column);
unsigned int column_want(const struct column *column);
void columns_help(FILE *out, unsigned int has);

struct value column_value(const struct column *column, const struct task *task,
			  char *scratch);
int column_compare(const struct column *column, const struct task *a,
		   const struct task *b);
void column_human(const struct column *column, const struct task *task,
		  FILE *out);
void column_raw(const struct column *column, const struct task *task,
		FILE *out);

/* Letters of the states, by number. */
extern const char state_letters[];

#endif /* CTL_COLUMN_H */
