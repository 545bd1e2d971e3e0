// SPDX-License-Identifier: MIT
/*
 * Columns, sort and the three forms of output, on rows made by hand.
 */
#include "unit.h"
#include "view.h"

static const struct command cmd = { .name = "test" };

static struct task rows_v[] = {
	{ .has = HAS_PROCESS | HAS_RATES,
	  .pid = 7,
	  .user = "b",
	  .nice = -1,
	  .runtime_ns = UINT64_MAX,
	  .cpu_pct = 1.5,
	  .comm = "\033[2J\t\"\xff" },
	{ .has = HAS_PROCESS | HAS_RATES,
	  .pid = 5,
	  .user = "a",
	  .nice = 3,
	  .runtime_ns = 5,
	  .comm = "five" },
	{ .has = HAS_THREAD, .pid = 6, .user = "a", .comm = "six" },
};

/* What @opts make of the rows. */
static char *print(const struct opts *opts)
{
	struct tasks tasks = { .v = rows_v, .n = 3 };
	struct rows rows = { 0 };
	struct view view;
	char *out = NULL;
	size_t size;
	FILE *mem = open_memstream(&out, &size);

	assert_non_null(mem);
	assert_int_equal(view_init(&view, opts, &cmd,
				   VIEW_PROCESSES | VIEW_THREADS,
				   "pid,nice,comm", NULL),
			 OPTS_GO_ON);
	assert_int_equal(view_select(&view, &tasks, &rows), 0);
	out_rows(&view, &rows, "rows", mem);
	rows_free(&rows);
	view_free(&view);
	assert_int_equal(fclose(mem), 0);
	return out;
}

static void expect(const struct opts *opts, const char *text)
{
	char *out = print(opts);

	assert_string_equal(out, text);
	free(out);
}

static void text_is_aligned(void **state)
{
	(void)state;
	expect(&(struct opts){ .columns = "pid,user,nice,comm" },
	       "PID USER NI COMMAND\n"
	       "  7 b    -1 \\x1b[2J\\x09\"\\xff\n"
	       "  5 a     3 five\n"
	       "  6 a     0 six\n");
}

static void tabs_are_stable(void **state)
{
	(void)state;
	expect(&(struct opts){ .tab = true,
			       .columns = "pid,runtime,threads,cpu_pct,comm" },
	       "pid\truntime_ns\tthreads\tcpu_pct\tcomm\n"
	       "7\t18446744073709551615\t0\t1.500\t\\x1b[2J\\x09\"\\xff\n"
	       "5\t5\t0\t0.000\tfive\n"
	       "6\t0\t-\t-\tsix\n");
}

static void no_header_leaves_it_out(void **state)
{
	(void)state;
	expect(&(struct opts){ .no_header = true, .columns = "pid" },
	       "7\n5\n6\n");
	expect(&(struct opts){ .no_header = true,
			       .tab = true,
			       .columns = "pid" },
	       "7\n5\n6\n");
}

static void added_columns_stand_before_the_name(void **state)
{
	(void)state;
	expect(&(struct opts){ .columns = "+user",
			       .tab = true,
			       .filter = "pid == 5" },
	       "pid\tnice\tuser\tcomm\n5\t3\ta\tfive\n");
}

static void sort_is_by_several_and_stable(void **state)
{
	(void)state;
	expect(&(struct opts){ .no_header = true,
			       .columns = "pid",
			       .sort = "user,-pid" },
	       "6\n5\n7\n");
	expect(&(struct opts){ .no_header = true,
			       .columns = "pid",
			       .sort = "-runtime_ns" },
	       "7\n5\n6\n");
	/* What has no value comes first. */
	expect(&(struct opts){ .no_header = true,
			       .columns = "pid",
			       .sort = "cpu_pct" },
	       "6\n5\n7\n");
	expect(&(struct opts){ .no_header = true,
			       .columns = "pid",
			       .sort = "nice" },
	       "7\n6\n5\n");
}

static struct json_object *parsed(const char *text)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
						JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
	json_tokener_free(tokener);
	assert_non_null(object);
	return object;
}

static void json_is_valid(void **state)
{
	char *out = print(&(struct opts){ .json = true });
	struct json_object *object = parsed(out);
	struct json_object *rows;
	struct json_object *row;
	struct json_object *value;

	(void)state;
	assert_true(json_object_object_get_ex(object, "rows", &rows));
	assert_int_equal(json_object_array_length(rows), 3);
	row = json_object_array_get_idx(rows, 0);
	assert_true(json_object_object_get_ex(row, "runtime_ns", &value));
	assert_true(json_object_get_uint64(value) == UINT64_MAX);
	assert_true(json_object_object_get_ex(row, "comm", &value));
	assert_string_equal(json_object_get_string(value),
			    "\033[2J\t\"\xef\xbf\xbd");
	row = json_object_array_get_idx(rows, 2);
	assert_false(json_object_object_get_ex(row, "threads", &value));
	/* No control character stands in it bare. */
	assert_null(strchr(out, '\033'));
	json_object_put(object);
	free(out);
}

static void json_says_null_for_what_was_named(void **state)
{
	(void)state;
	expect(&(struct opts){ .json = true,
			       .columns = "pid,threads,cpu_pct",
			       .filter = "pid > 5" },
	       "{\"rows\":[{\"pid\":7,\"threads\":0,\"cpu_pct\":1.500},"
	       "{\"pid\":6,\"threads\":null,\"cpu_pct\":null}]}\n");
}

static void refused(struct opts opts, const char *reason)
{
	char why[WHY_SIZE] = "";
	struct view view;

	assert_false(view_make(&view, &opts, VIEW_PROCESSES, "pid", NULL, why));
	view_free(&view);
	if (!strstr(why, reason))
		fail_msg("refused with: %s", why);
}

static void wrong_names_are_told(void **state)
{
	(void)state;
	refused((struct opts){ .columns = "pid,nope" },
		"no such column 'nope'");
	refused((struct opts){ .columns = "" }, "no such column ''");
	refused((struct opts){ .columns = "pid," }, "no such column ''");
	refused((struct opts){ .columns = "+nope" }, "no such column 'nope'");
	refused((struct opts){ .columns = "cpu" }, "with -H it has");
	refused((struct opts){ .sort = "-nope" }, "no such column 'nope'");
	refused((struct opts){ .sort = "pid,pid,pid,pid,pid" }, "too many");
	refused((struct opts){ .filter = "nope == 1" }, "no such column");
}

static void only_named_extras_are_asked_for(void **state)
{
	struct view view;
	char why[WHY_SIZE];
	struct opts all = { .columns = "all" };
	struct opts cpus = { .columns = "cpus", .sort = "wait_max" };

	(void)state;
	assert_true(view_make(&view, &all, VIEW_THREADS, "pid", NULL, why));
	assert_int_equal(view_want(&view), 0);
	view_free(&view);
	assert_true(view_make(&view, &cpus, VIEW_THREADS, "pid", NULL, why));
	assert_int_equal(view_want(&view),
			 FIBER_NL_WANT_AFFINITY | FIBER_NL_WANT_SCHEDSTATS);
	view_free(&view);
}

static void columns_are_told_apart(void **state)
{
	const struct column *column = NULL;
	char key[32];

	(void)state;
	while ((column = column_next(column))) {
		assert_ptr_equal(column_find(column->name,
					     strlen(column->name)),
				 column);
		column_key(column, key, sizeof(key));
		assert_ptr_equal(column_find(key, strlen(key)), column);
		assert_true(strlen(column->doc) > 0);
	}
}

static void rates_never_run_backwards(void **state)
{
	struct task before = { .run_delay_ns = 500, .nvcsw = 10 };
	struct task task = { .runtime_ns = 500000000,
			     .run_delay_ns = 100,
			     .nvcsw = 30 };

	(void)state;
	task_rates(&task, &before, 1000000000);
	assert_true(task.cpu_pct == 50);
	assert_true(task.delay_pct == 0);
	assert_true(task.vcsw_rate == 20);
	task_rates(&task, NULL, 0);
	assert_true(task.has & HAS_RATES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_aligned),
		cmocka_unit_test(tabs_are_stable),
		cmocka_unit_test(no_header_leaves_it_out),
		cmocka_unit_test(added_columns_stand_before_the_name),
		cmocka_unit_test(sort_is_by_several_and_stable),
		cmocka_unit_test(json_is_valid),
		cmocka_unit_test(json_says_null_for_what_was_named),
		cmocka_unit_test(wrong_names_are_told),
		cmocka_unit_test(only_named_extras_are_asked_for),
		cmocka_unit_test(columns_are_told_apart),
		cmocka_unit_test(rates_never_run_backwards),
	};

	return RUN(tests);
}
