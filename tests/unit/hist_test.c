// SPDX-License-Identifier: MIT
/*
 * Percentiles and intervals of log2 histograms.
 */
#include "hist_math.h"
#include "unit.h"

static void buckets_adjoin(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(hist_from_ns(0), 0);
	for (i = 0; i + 1 < FIBER_NL_HIST_BUCKETS; i++)
		assert_true(hist_to_ns(i) == hist_from_ns(i + 1));
	assert_int_equal(hist_to_ns(FIBER_NL_HIST_BUCKETS - 1), 0);
}

static void empty_has_no_percentiles(void **state)
{
	struct fiber_nl_hist hist = { 0 };

	(void)state;
	assert_int_equal(hist_percentile(&hist, 50), 0);
}

static void percentiles_lie_in_their_bucket(void **state)
{
	struct fiber_nl_hist hist = { .count = 100, .max_ns = 1000000 };

	(void)state;
	hist.buckets[10] = 90; /* 1024 to 2047 */
	hist.buckets[19] = 10; /* 524288 to 1048575 */
	assert_in_range(hist_percentile(&hist, 50), 1500, 1700);
	assert_in_range(hist_percentile(&hist, 90), 2047, 2048);
	assert_in_range(hist_percentile(&hist, 99), 900000, 1000000);
	assert_int_equal(hist_percentile(&hist, 100), 1000000);
}

static void last_bucket_ends_at_the_maximum(void **state)
{
	struct fiber_nl_hist hist = { .max_ns = 1ull << 41 };

	(void)state;
	hist.buckets[FIBER_NL_HIST_BUCKETS - 1] = 2;
	assert_true(hist_percentile(&hist, 100) == 1ull << 41);
	/* A maximum that contradicts the bucket does no harm. */
	hist.max_ns = 5;
	assert_true(hist_percentile(&hist, 50) == 1ull << 39);
}

static void interval_is_the_difference(void **state)
{
	struct fiber_nl_hist before = { .count = 5,
					.sum_ns = 50,
					.max_ns = 40 };
	struct fiber_nl_hist now = { .count = 8, .sum_ns = 80, .max_ns = 40 };
	struct fiber_nl_hist out;

	(void)state;
	before.buckets[3] = 5;
	now.buckets[3] = 8;
	hist_since(&out, &now, &before);
	assert_int_equal(out.count, 3);
	assert_int_equal(out.sum_ns, 30);
	assert_int_equal(out.buckets[3], 3);
	assert_int_equal(out.max_ns, 15);
	now.max_ns = 60;
	hist_since(&out, &now, &before);
	assert_int_equal(out.max_ns, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_adjoin),
		cmocka_unit_test(empty_has_no_percentiles),
		cmocka_unit_test(percentiles_lie_in_their_bucket),
		cmocka_unit_test(last_bucket_ends_at_the_maximum),
		cmocka_unit_test(interval_is_the_difference),
	};

	return RUN(tests);
}
