// SPDX-License-Identifier: MIT
/*
 * Histograms as bars, tabs and JSON.
 */
#include <inttypes.h>
#include <string.h>

#include "fmt.h"
#include "hist.h"
#include "hist_math.h"
#include "view.h"

#define BAR 40

static const struct {
	const char *name;
	const char *title;
} kinds[FIBER_NL_HIST_KINDS] = {
	[FIBER_NL_HIST_RUNQ] = { "runq",
				 "run-queue delay: runnable to running" },
	[FIBER_NL_HIST_SLICE] = { "slice",
				  "slice: put on a CPU to taken off it" },
	[FIBER_NL_HIST_SLEEP] = { "sleep",
				  "off CPU, asleep: until the next run" },
	[FIBER_NL_HIST_DISK] = { "disk",
				 "off CPU, in disk sleep: until the next run" },
	[FIBER_NL_HIST_PREEMPTED] = { "preempted",
				      "off CPU, preempted: until the next run" },
};

static uint64_t mean(const struct fiber_nl_hist *hist)
{
	return hist->count ? hist->sum_ns / hist->count : 0;
}

static uint64_t highest(const struct fiber_nl_hist *hist)
{
	uint64_t most = 1;
	unsigned int i;

	for (i = 0; i < FIBER_NL_HIST_BUCKETS; i++) {
		if (hist->buckets[i] > most)
			most = hist->buckets[i];
	}
	return most;
}

static void print_bar(const struct fiber_nl_hist *hist, unsigned int bucket,
		      uint64_t most, FILE *out)
{
	static const char marks[] = "########################################";
	char from[FMT_SIZE];
	char to[FMT_SIZE] = "";
	double share = (double)hist->buckets[bucket] / (double)most;
	int length = (int)(share * BAR + 0.5);

	if (!length && hist->buckets[bucket])
		length = 1;
	fmt_ns(from, sizeof(from), hist_from_ns(bucket));
	if (hist_to_ns(bucket))
		fmt_ns(to, sizeof(to), hist_to_ns(bucket));
	fprintf(out, "%12s - %-12s %10" PRIu64 " |%-*.*s|\n", from, to,
		hist->buckets[bucket], BAR, length, marks);
}

static void print_sums(const struct fiber_nl_hist *hist, FILE *out)
{
	const struct {
		const char *name;
		uint64_t ns;
	} sums[] = {
		{ "mean", mean(hist) },
		{ "p50", hist_percentile(hist, 50) },
		{ "p90", hist_percentile(hist, 90) },
		{ "p99", hist_percentile(hist, 99) },
		{ "max", hist->max_ns },
	};
	char text[FMT_SIZE];
	size_t i;

	fprintf(out, "count %" PRIu64, hist->count);
	for (i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		fmt_ns(text, sizeof(text), sums[i].ns);
		fprintf(out, "  %s %s", sums[i].name, text);
	}
	fputs("\n\n", out);
}

static void print_hist(const struct fiber_nl_hist *hist, FILE *out)
{
	uint64_t most = highest(hist);
	unsigned int first = 0;
	unsigned int last = FIBER_NL_HIST_BUCKETS - 1;

	while (first < last && !hist->buckets[first])
		first++;
	while (last > first && !hist->buckets[last])
		last--;
	if (!hist->buckets[last]) {
		fputs("nothing counted\n\n", out);
		return;
	}
	for (; first <= last; first++)
		print_bar(hist, first, most, out);
	print_sums(hist, out);
}

static void print_text(const struct hist_frame *frame, FILE *out)
{
	const struct fiber_nl_watch_stats *stats = &frame->stats;
	char time[FMT_SIZE];
	char who[FMT_SIZE] = "the whole system";
	unsigned int kind;

	if (stats->pid)
		snprintf(who, sizeof(who), "process %u", stats->pid);
	fmt_ns(time, sizeof(time), frame->ns);
	for (kind = 0; kind < FIBER_NL_HIST_KINDS; kind++) {
		if (!(stats->kinds >> kind & 1))
			continue;
		fprintf(out, "%s; %s, %s\n", kinds[kind].title, who, time);
		print_hist(&stats->hist[kind], out);
	}
	if (stats->lost)
		fprintf(out,
			"%" PRIu64
			" off-CPU times were not counted: the table had no room\n",
			stats->lost);
}

/* The last bucket has no upper bound. */
static void print_tab(const struct hist_frame *frame, bool header, FILE *out)
{
	unsigned int kind;
	unsigned int i;

	if (frame->number)
		fputc('\n', out);
	else if (header)
		fputs("hist\tfrom_ns\tto_ns\tcount\n", out);
	for (kind = 0; kind < FIBER_NL_HIST_KINDS; kind++) {
		const uint64_t *buckets = frame->stats.hist[kind].buckets;

		for (i = 0; i < FIBER_NL_HIST_BUCKETS; i++) {
			if (!buckets[i])
				continue;
			fprintf(out, "%s\t%" PRIu64 "\t", kinds[kind].name,
				hist_from_ns(i));
			if (hist_to_ns(i))
				fprintf(out, "%" PRIu64, hist_to_ns(i));
			else
				fputc('-', out);
			fprintf(out, "\t%" PRIu64 "\n", buckets[i]);
		}
	}
}

static void add_u64(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static struct json_object *json_buckets(const struct fiber_nl_hist *hist)
{
	struct json_object *array = json_object_new_array();
	struct json_object *bucket;
	unsigned int i;

	for (i = 0; i < FIBER_NL_HIST_BUCKETS; i++) {
		if (!hist->buckets[i])
			continue;
		bucket = json_object_new_object();
		add_u64(bucket, "from_ns", hist_from_ns(i));
		if (hist_to_ns(i))
			add_u64(bucket, "to_ns", hist_to_ns(i));
		else
			json_object_object_add(bucket, "to_ns", NULL);
		add_u64(bucket, "count", hist->buckets[i]);
		json_object_array_add(array, bucket);
	}
	return array;
}

static struct json_object *json_hist(const struct fiber_nl_hist *hist)
{
	struct json_object *object = json_object_new_object();

	add_u64(object, "count", hist->count);
	add_u64(object, "sum_ns", hist->sum_ns);
	add_u64(object, "mean_ns", mean(hist));
	add_u64(object, "max_ns", hist->max_ns);
	add_u64(object, "p50_ns", hist_percentile(hist, 50));
	add_u64(object, "p90_ns", hist_percentile(hist, 90));
	add_u64(object, "p99_ns", hist_percentile(hist, 99));
	json_object_object_add(object, "buckets", json_buckets(hist));
	return object;
}

static void print_json(const struct hist_frame *frame, FILE *out)
{
	const struct fiber_nl_watch_stats *stats = &frame->stats;
	struct json_object *object = json_object_new_object();
	struct json_object *hists = json_object_new_object();
	unsigned int kind;

	json_object_object_add(object, "pid",
			       stats->pid ? json_object_new_uint64(stats->pid) :
					    NULL);
	add_u64(object, "counted_ns", frame->ns);
	json_object_object_add(object, "ended",
			       json_object_new_boolean(stats->ended));
	add_u64(object, "lost", stats->lost);
	for (kind = 0; kind < FIBER_NL_HIST_KINDS; kind++) {
		if (stats->kinds >> kind & 1)
			json_object_object_add(hists, kinds[kind].name,
					       json_hist(&stats->hist[kind]));
	}
	json_object_object_add(object, "histograms", hists);
	out_json(object, out);
}

void hist_print(const struct hist_frame *frame, const struct opts *opts,
		FILE *out)
{
	if (opts->json)
		print_json(frame, out);
	else if (opts->tab)
		print_tab(frame, !opts->no_header, out);
	else
		print_text(frame, out);
	fflush(out);
}
