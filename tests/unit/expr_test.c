// SPDX-License-Identifier: MIT
/*
 * Filter expressions: what they match, what they refuse, what the kernel gets.
 */
#include "expr.h"
#include "unit.h"

#define ROWS (HAS_PROCESS | HAS_RATES)

static struct task a_task(void)
{
	return (struct task){ .has = ROWS,
			      .pid = 42,
			      .ppid = 1,
			      .uid = 1000,
			      .state = FIBER_NL_STATE_SLEEPING,
			      .nice = -5,
			      .runtime_ns = 1500000000,
			      .rss_bytes = 3 << 20,
			      .nvcsw = 2500,
			      .cpu_pct = 12.5,
			      .user = "user",
			      .comm = "redis-server" };
}

static struct expr *parse(const char *text)
{
	char why[160] = "";
	struct expr *expr = expr_parse(text, ROWS, why, sizeof(why));

	if (!expr)
		fail_msg("'%s': %s", text, why);
	return expr;
}

static bool matches(const char *text)
{
	struct task task = a_task();
	struct expr *expr = parse(text);
	bool match = expr_match(expr, &task);

	expr_free(expr);
	return match;
}

static void comparisons(void **state)
{
	(void)state;
	assert_true(matches("pid == 42"));
	assert_true(matches("pid=42"));
	assert_false(matches("pid != 42"));
	assert_true(matches("nice < 0 && nice >= -5"));
	assert_true(matches("runtime > 1s"));
	assert_true(matches("runtime == 1500ms"));
	assert_true(matches("runtime_ns <= 1500000000"));
	assert_false(matches("runtime > 1.6s"));
	assert_true(matches("rss == 3M && rss < 1G"));
	assert_true(matches("vcsw == 2.5K"));
	assert_true(matches("cpu_pct > 12%"));
	assert_true(matches("state == S"));
	assert_true(matches("state != R"));
	assert_true(matches("user == 'user'"));
	assert_true(matches("comm ~ \"dis\""));
	assert_true(matches("comm !~ nginx"));
	assert_true(matches("kind == user"));
}

static void logic(void **state)
{
	(void)state;
	assert_true(matches("pid == 1 || pid == 42"));
	assert_true(matches("pid == 42 || pid == 1 && pid == 2"));
	assert_false(matches("(pid == 42 || pid == 1) && pid == 2"));
	assert_true(matches("!pid == 1"));
	assert_true(matches("!(pid == 1 && uid == 0) && !!(pid==42)"));
}

static void missing_value_matches_nothing(void **state)
{
	struct task task = a_task();
	struct expr *expr = expr_parse("cpu == 0 || cpu != 0", HAS_THREAD,
				       (char[160]){ 0 }, 160);

	(void)state;
	assert_non_null(expr);
	assert_false(expr_match(expr, &task));
	expr_free(expr);
}

static void refused(const char *text, const char *reason)
{
	char why[160] = "";
	struct expr *expr = expr_parse(text, ROWS, why, sizeof(why));

	assert_null(expr);
	if (!strstr(why, reason))
		fail_msg("'%s' was refused with: %s", text, why);
}

static void errors_are_told(void **state)
{
	char deep[1000];

	(void)state;
	refused("", "column is missing");
	refused("foo == 1", "no such column 'foo'");
	refused("cpu == 1", "has no value here");
	refused("pid", "operator is missing");
	refused("pid ==", "value is missing");
	refused("pid == x", "not a value");
	refused("pid == inf", "not a value");
	refused("pid == 5K", "not a value");
	refused("runtime > 5K", "not a value");
	refused("pid ~ 5", "for texts");
	refused("comm < x", "is a text");
	refused("comm == 'x", "quote");
	refused("(pid == 1", ") is missing");
	refused("pid == 1 pid == 2", "&& or ||");
	refused("pid == 1 &&", "column is missing");
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	refused(deep, "too deep");
	memset(deep, '!', sizeof(deep) - 1);
	refused(deep, "too");
}

static struct fiber_nl_filter pushed(const char *text)
{
	struct fiber_nl_filter filter = { 0 };
	struct expr *expr = parse(text);

	expr_push(expr, &filter);
	expr_free(expr);
	return filter;
}

static void what_must_hold_goes_to_the_kernel(void **state)
{
	struct fiber_nl_filter filter;

	(void)state;
	filter = pushed("pid == 7 && uid == 0 && state == R && kind == user");
	assert_int_equal(filter.pid, 7);
	assert_true(filter.has_uid);
	assert_int_equal(filter.uid, 0);
	assert_int_equal(filter.states, 1 << FIBER_NL_STATE_RUNNING);
	assert_int_equal(filter.kinds, FIBER_NL_KIND_USER);
	filter = pushed("state != I && user == root");
	assert_int_equal(filter.states, ((1 << FIBER_NL_STATES) - 1) &
						~(1 << FIBER_NL_STATE_IDLE));
	assert_true(filter.has_uid);
}

static void not_pushed(const char *text)
{
	struct fiber_nl_filter filter = pushed(text);

	assert_int_equal(filter.pid, 0);
	assert_false(filter.has_uid);
	assert_int_equal(filter.states, 0);
	assert_int_equal(filter.kinds, 0);
}

static void what_need_not_hold_stays_here(void **state)
{
	(void)state;
	not_pushed("pid == 7 || uid == 0");
	not_pushed("!(pid == 7)");
	not_pushed("pid > 7 && uid != 0 && pid == 1.5");
	not_pushed("state ~ R && kind != user && user != root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparisons),
		cmocka_unit_test(logic),
		cmocka_unit_test(missing_value_matches_nothing),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(what_must_hold_goes_to_the_kernel),
		cmocka_unit_test(what_need_not_hold_stays_here),
	};

	return RUN(tests);
}
