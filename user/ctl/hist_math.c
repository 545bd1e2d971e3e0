// SPDX-License-Identifier: MIT
/*
 * What can be said of a log2 histogram.
 */
#include <string.h>

#include "hist_math.h"

/* The least time that a bucket counts. */
uint64_t hist_from_ns(unsigned int bucket)
{
	return bucket ? UINT64_C(1) << bucket : 0;
}

/* The time that it no longer counts; 0: the last one counts all. */
uint64_t hist_to_ns(unsigned int bucket)
{
	return bucket + 1 < FIBER_NL_HIST_BUCKETS ?
		       UINT64_C(1) << (bucket + 1) :
		       0;
}

/*
 * An estimate: times are taken to be spread evenly over their bucket, and none
 * is above the maximum. 0 for an empty histogram.
 */
uint64_t hist_percentile(const struct fiber_nl_hist *hist, double percent)
{
	double total = 0;
	double rank;
	double from;
	double to;
	unsigned int i;

	for (i = 0; i < FIBER_NL_HIST_BUCKETS; i++)
		total += (double)hist->buckets[i];
	rank = total * percent / 100;
	for (i = 0; i < FIBER_NL_HIST_BUCKETS; i++) {
		double count = (double)hist->buckets[i];

		if (count == 0 || rank > count) {
			rank -= count;
			continue;
		}
		from = (double)hist_from_ns(i);
		to = hist_to_ns(i) ? (double)hist_to_ns(i) : hist->max_ns;
		if (to > (double)hist->max_ns)
			to = (double)hist->max_ns;
		if (to < from)
			to = from;
		return (uint64_t)(from + (to - from) * rank / count);
	}
	return total > 0 ? hist->max_ns : 0;
}

/*
 * What came between two reads. The kernel keeps the maximum since the watch
 * began: where that did not rise, the interval's own is the bound of its
 * highest bucket.
 */
void hist_since(struct fiber_nl_hist *out, const struct fiber_nl_hist *now,
		const struct fiber_nl_hist *before)
{
	uint64_t bound = 0;
	unsigned int i;

	memset(out, 0, sizeof(*out));
	out->count = now->count - before->count;
	out->sum_ns = now->sum_ns - before->sum_ns;
	for (i = 0; i < FIBER_NL_HIST_BUCKETS; i++) {
		out->buckets[i] = now->buckets[i] - before->buckets[i];
		if (out->buckets[i])
			bound = hist_to_ns(i) ? hist_to_ns(i) - 1 : UINT64_MAX;
	}
	out->max_ns = now->max_ns;
	if (now->max_ns == before->max_ns && bound < now->max_ns)
		out->max_ns = bound;
}
