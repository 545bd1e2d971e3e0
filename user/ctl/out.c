// SPDX-License-Identifier: MIT
/*
 * Rows as text, tabs and JSON.
 *
 * The tab form is a promise to scripts: one line of headers, one tab between
 * two fields, raw numbers in the unit that the header ends with, - for no
 * value. No field contains a tab or a newline: names are escaped.
 */
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "view.h"

static void pad(FILE *out, size_t width, size_t used)
{
	for (; used < width; used++)
		fputc(' ', out);
}

/* One cell; the last one of a line has no blanks after it. */
static void put_cell(const struct column *column, const char *text,
		     size_t width, bool last, FILE *out)
{
	size_t used = fmt_width(text);

	if (!column_is_left(column))
		pad(out, width, used);
	fputs(text, out);
	if (column_is_left(column) && !last)
		pad(out, width, used);
	fputc(last ? '\n' : ' ', out);
}

static void put_cell_text(const struct column *column, const struct task *task,
			  FILE *out)
{
	if (task->art && !strcmp(column->name, "comm"))
		fputs(task->art, out);
	column_human(column, task, out);
}

static void put_headers(const struct view *view, const size_t *widths,
			FILE *out)
{
	size_t i;

	for (i = 0; i < view->n_columns; i++)
		put_cell(view->columns[i], view->columns[i]->header, widths[i],
			 i + 1 == view->n_columns, out);
}

/* All cells as text, each with its NUL, row by row; NULL without memory. */
static char *all_cells(const struct view *view, const struct rows *rows)
{
	char *cells = NULL;
	size_t size;
	FILE *mem = open_memstream(&cells, &size);
	size_t row;
	size_t i;

	if (!mem)
		return NULL;
	for (row = 0; row < rows->n; row++) {
		for (i = 0; i < view->n_columns; i++) {
			put_cell_text(view->columns[i], rows->v[row], mem);
			fputc('\0', mem);
		}
	}
	if (fclose(mem)) {
		free(cells);
		return NULL;
	}
	return cells;
}

static void measure(const struct view *view, const struct rows *rows,
		    const char *cells, size_t *widths)
{
	size_t row;
	size_t i;

	for (i = 0; i < view->n_columns; i++)
		widths[i] = view->opts->no_header ?
				    0 :
				    strlen(view->columns[i]->header);
	for (row = 0; row < rows->n; row++) {
		for (i = 0; i < view->n_columns; i++) {
			size_t width = fmt_width(cells);

			if (width > widths[i])
				widths[i] = width;
			cells += strlen(cells) + 1;
		}
	}
}

static void out_text(const struct view *view, const struct rows *rows,
		     FILE *out)
{
	char *cells = all_cells(view, rows);
	size_t widths[COLUMNS_MAX];
	const char *cell = cells;
	size_t row;
	size_t i;

	if (!cells) {
		complain("out of memory");
		return;
	}
	measure(view, rows, cells, widths);
	if (!view->opts->no_header)
		put_headers(view, widths, out);
	for (row = 0; row < rows->n; row++) {
		for (i = 0; i < view->n_columns; i++) {
			put_cell(view->columns[i], cell, widths[i],
				 i + 1 == view->n_columns, out);
			cell += strlen(cell) + 1;
		}
	}
	free(cells);
}

static void tab_header(const struct view *view, FILE *out)
{
	char key[FMT_SIZE];
	size_t i;

	for (i = 0; i < view->n_columns; i++) {
		column_key(view->columns[i], key, sizeof(key));
		fprintf(out, "%s%s", i ? "\t" : "", key);
	}
	fputc('\n', out);
}

static void tab_row(const struct view *view, const struct task *task, FILE *out)
{
	size_t i;

	for (i = 0; i < view->n_columns; i++) {
		if (i)
			fputc('\t', out);
		column_raw(view->columns[i], task, out);
	}
	fputc('\n', out);
}

/* A text as JSON wants it: valid UTF-8; json-c escapes the controls. */
static struct json_object *json_text(const char *text)
{
	struct json_object *object;
	char *valid = NULL;
	size_t size;
	FILE *mem = open_memstream(&valid, &size);

	if (!mem)
		return NULL;
	fmt_valid_utf8(mem, text);
	if (fclose(mem)) {
		free(valid);
		return NULL;
	}
	object = json_object_new_string_len(valid, (int)size);
	free(valid);
	return object;
}

static struct json_object *json_double(double value)
{
	char text[FMT_SIZE];

	snprintf(text, sizeof(text), "%.3f", value);
	return json_object_new_double_s(value, text);
}

static struct json_object *json_value(const struct column *column,
				      const struct task *task)
{
	char scratch[FMT_SIZE];
	struct value value = column_value(column, task, scratch);

	switch (value.type) {
	case VALUE_U64:
		return json_object_new_uint64(value.u64);
	case VALUE_I64:
		return json_object_new_int64(value.i64);
	case VALUE_DOUBLE:
		return json_double(value.real);
	case VALUE_TEXT:
		return json_text(value.text);
	default:
		return NULL;
	}
}

/*
 * One object. A column without a value is null where it was asked for, and
 * else left out: an event has few of all that there are.
 */
struct json_object *out_json_task(const struct view *view,
				  const struct task *task)
{
	struct json_object *object = json_object_new_object();
	struct json_object *value;
	char key[FMT_SIZE];
	size_t i;

	for (i = 0; i < view->n_columns; i++) {
		value = json_value(view->columns[i], task);
		if (!value && !view->opts->columns)
			continue;
		column_key(view->columns[i], key, sizeof(key));
		json_object_object_add_ex(object, key, value,
					  JSON_C_OBJECT_ADD_KEY_IS_NEW);
	}
	return object;
}

/* Writes the object, and frees it. */
static void put_json(struct json_object *object, FILE *out)
{
	fputs(json_object_to_json_string_ext(
		      object,
		      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
	      out);
	json_object_put(object);
}

/* One line; takes the object. */
void out_json(struct json_object *object, FILE *out)
{
	put_json(object, out);
	fputc('\n', out);
}

/* Row by row: one object for all would be many times as large. */
static void out_json_rows(const struct view *view, const struct rows *rows,
			  const char *list, FILE *out)
{
	size_t i;

	fprintf(out, "{\"%s\":[", list);
	for (i = 0; i < rows->n; i++) {
		if (i)
			fputc(',', out);
		put_json(out_json_task(view, rows->v[i]), out);
	}
	fputs("]}\n", out);
}

/* All rows, in the form that the options ask for; @list names them in JSON. */
void out_rows(const struct view *view, const struct rows *rows,
	      const char *list, FILE *out)
{
	size_t i;

	if (view->opts->json) {
		out_json_rows(view, rows, list, out);
		return;
	}
	if (!view->opts->tab) {
		out_text(view, rows, out);
		return;
	}
	if (!view->opts->no_header)
		tab_header(view, out);
	for (i = 0; i < rows->n; i++)
		tab_row(view, rows->v[i], out);
}

/* For rows that come one by one, and so in columns of a fixed width. */
static void fixed_widths(const struct view *view, size_t *widths)
{
	size_t i;

	for (i = 0; i < view->n_columns; i++)
		widths[i] = (size_t)view->columns[i]->width;
}

void out_header(const struct view *view, FILE *out)
{
	size_t widths[COLUMNS_MAX];

	if (view->opts->json || view->opts->no_header)
		return;
	fixed_widths(view, widths);
	if (view->opts->tab)
		tab_header(view, out);
	else
		put_headers(view, widths, out);
}

static void text_row(const struct view *view, const struct task *task,
		     FILE *out)
{
	size_t widths[COLUMNS_MAX];
	char *text = NULL;
	size_t size;
	FILE *mem;
	size_t i;

	fixed_widths(view, widths);
	for (i = 0; i < view->n_columns; i++) {
		mem = open_memstream(&text, &size);
		if (!mem)
			return;
		put_cell_text(view->columns[i], task, mem);
		if (!fclose(mem))
			put_cell(view->columns[i], text, widths[i],
				 i + 1 == view->n_columns, out);
		free(text);
		text = NULL;
	}
}

void out_row(const struct view *view, const struct task *task, FILE *out)
{
	if (view->opts->json)
		out_json(out_json_task(view, task), out);
	else if (view->opts->tab)
		tab_row(view, task, out);
	else
		text_row(view, task, out);
}
