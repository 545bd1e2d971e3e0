// SPDX-License-Identifier: MIT
/*
 * fiberctl status
 */
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "view.h"

static const char *const features[] = {
	"sched-info", "schedstats", "delay-acct", "cgroup",
	"hist",	      "events",	    "preempt-rt", NULL,
};

static const char *const probes[] = {
	"sched_switch",
	"sched_process_fork",
	"sched_process_exec",
	"sched_process_exit",
	NULL,
};

/* What there is to say, found once for all forms. */
struct status {
	bool loaded;
	struct fiber_nl_module_info info;
	struct utsname uts;
	int schedstats, delayacct; /* 0, 1, or -1: the kernel has none */
};

/* A sysctl that is 0 or 1. */
static int read_switch(const char *path)
{
	FILE *file = fopen(path, "re");
	int value = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

/* The names of the bits that are set. */
static void names_of(const char *const *names, uint32_t set, char *out,
		     size_t size)
{
	size_t used = 0;
	size_t i;

	out[0] = '\0';
	for (i = 0; names[i]; i++) {
		if (set >> i & 1 && used < size)
			used += (size_t)snprintf(out + used, size - used,
						 "%s%s", used ? " " : "",
						 names[i]);
	}
}

static const char *on_off(int value)
{
	return value < 0 ? "not in this kernel" : value ? "on" : "off";
}

static void print_text(const struct status *status, bool tab, FILE *out)
{
	const struct fiber_nl_module_info *info = &status->info;
	const char *form = tab ? "%s\t%s\n" : "%-12s %s\n";
	char text[160];

	snprintf(text, sizeof(text), "fiber %s", info->version);
	fprintf(out, form, "module", status->loaded ? text : "not loaded");
	fprintf(out, form, "kernel", status->uts.release);
	if (status->loaded) {
		names_of(features, info->features, text, sizeof(text));
		fprintf(out, form, "features", text);
		names_of(probes, info->probes, text, sizeof(text));
		fprintf(out, form, "probes", *text ? text : "none");
		snprintf(text, sizeof(text), "%u of %u, %u a user",
			 info->watches, info->watches_max,
			 info->watches_user_max);
		fprintf(out, form, "watches", text);
		snprintf(text, sizeof(text), "%u of %u, %u a user",
			 info->subscribers, info->subscribers_max,
			 info->subscribers_user_max);
		fprintf(out, form, "subscribers", text);
		snprintf(text, sizeof(text), "%" PRIu64, info->events_lost);
		fprintf(out, form, "events-lost", text);
	}
	snprintf(
		text, sizeof(text), "%s%s", on_off(status->schedstats),
		status->schedstats || tab ?
			"" :
			" (sysctl kernel.sched_schedstats=1 counts waits and sleeps)");
	fprintf(out, form, "schedstats", text);
	snprintf(
		text, sizeof(text), "%s%s", on_off(status->delayacct),
		status->delayacct || tab ?
			"" :
			" (sysctl kernel.task_delayacct=1 counts waits for block I/O)");
	fprintf(out, form, "delayacct", text);
}

static void add_u64(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static void add_text(struct json_object *object, const char *key,
		     const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_names(struct json_object *object, const char *key,
		      const char *const *names, uint32_t set)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; names[i]; i++) {
		if (set >> i & 1)
			json_object_array_add(array,
					      json_object_new_string(names[i]));
	}
	json_object_object_add(object, key, array);
}

/* null: the kernel has no such switch. */
static void add_switch(struct json_object *object, const char *key, int value)
{
	json_object_object_add(
		object, key, value < 0 ? NULL : json_object_new_boolean(value));
}

static void print_json(const struct status *status, FILE *out)
{
	const struct fiber_nl_module_info *info = &status->info;
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "loaded",
			       json_object_new_boolean(status->loaded));
	add_text(object, "kernel", status->uts.release);
	if (status->loaded) {
		add_text(object, "version", info->version);
		add_names(object, "features", features, info->features);
		add_names(object, "probes", probes, info->probes);
		add_u64(object, "watches", info->watches);
		add_u64(object, "watches_max", info->watches_max);
		add_u64(object, "watches_user_max", info->watches_user_max);
		add_u64(object, "subscribers", info->subscribers);
		add_u64(object, "subscribers_max", info->subscribers_max);
		add_u64(object, "subscribers_user_max",
			info->subscribers_user_max);
		add_u64(object, "events_lost", info->events_lost);
	}
	add_switch(object, "schedstats", status->schedstats);
	add_switch(object, "delayacct", status->delayacct);
	out_json(object, out);
}

/* An exit status; without the module there is still something to print. */
static int ask(struct status *status)
{
	struct fiber_nl *nl;
	int err;

	uname(&status->uts);
	status->schedstats = read_switch("/proc/sys/kernel/sched_schedstats");
	status->delayacct = read_switch("/proc/sys/kernel/task_delayacct");
	err = fiber_nl_open(&nl);
	if (err)
		return complain_open(err);
	err = fiber_nl_info(nl, &status->info);
	if (err)
		err = complain_nl(nl, "cannot ask the module");
	else
		status->loaded = true;
	fiber_nl_close(nl);
	return err;
}

int cmd_status(const struct command *cmd, int argc, char **argv)
{
	struct status status = { 0 };
	struct opts opts;
	int exit_status;

	exit_status = opts_parse(&opts, cmd, argc, argv);
	if (exit_status != OPTS_GO_ON)
		return exit_status;
	if (opts.n_args)
		return opts_usage(cmd, "'%s' is too much", opts.args[0]);
	exit_status = ask(&status);
	if (opts.json)
		print_json(&status, stdout);
	else
		print_text(&status, opts.tab, stdout);
	return exit_status;
}
