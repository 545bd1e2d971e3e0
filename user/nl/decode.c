// SPDX-License-Identifier: MIT
/*
 * The module's messages to plain structs; see decode.h for the rules.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <netlink/attr.h>

#include <linux/fiber.h>

#include "decode.h"

/*
 * Attributes into @tb by type; unknown ones are passed over. No policy: the
 * getters below check lengths, and bear short and long ones.
 */
static int parse(const void *attrs, size_t size, struct nlattr **tb, int max)
{
	if (size > INT_MAX)
		return -EBADMSG;
	if (nla_parse(tb, max, (struct nlattr *)(uintptr_t)attrs, (int)size,
		      NULL) < 0)
		return -EBADMSG;
	return 0;
}

/* The smaller of both sizes; the rest of @out is 0. Returns bytes copied. */
static size_t get_bytes(const struct nlattr *attr, void *out, size_t size)
{
	size_t len = attr ? (size_t)nla_len(attr) : 0;

	memset(out, 0, size);
	if (len > size)
		len = size;
	if (len)
		memcpy(out, nla_data(attr), len);
	return len;
}

/* A number that is short is none. */
static uint32_t get_u32(const struct nlattr *attr)
{
	uint32_t value;

	if (get_bytes(attr, &value, sizeof(value)) < sizeof(value))
		return 0;
	return value;
}

static uint64_t get_u64(const struct nlattr *attr)
{
	uint64_t value;

	if (get_bytes(attr, &value, sizeof(value)) < sizeof(value))
		return 0;
	return value;
}

static void get_string(const struct nlattr *attr, char *out, size_t size)
{
	get_bytes(attr, out, size);
	out[size - 1] = '\0';
}

int _fiber_nl_decode_info(const void *attrs, size_t size,
			  struct fiber_nl_module_info *info)
{
	struct nlattr *tb[FIBER_A_INFO_MAX + 1];

	memset(info, 0, sizeof(*info));
	if (parse(attrs, size, tb, FIBER_A_INFO_MAX))
		return -EBADMSG;
	if (!tb[FIBER_A_INFO_VERSION])
		return -EBADMSG;
	get_string(tb[FIBER_A_INFO_VERSION], info->version,
		   sizeof(info->version));
	info->features = get_u32(tb[FIBER_A_INFO_FEATURES]);
	info->probes = get_u32(tb[FIBER_A_INFO_PROBES]);
	info->watches = get_u32(tb[FIBER_A_INFO_WATCHES]);
	info->watches_max = get_u32(tb[FIBER_A_INFO_WATCHES_MAX]);
	info->watches_user_max = get_u32(tb[FIBER_A_INFO_WATCHES_USER_MAX]);
	info->subscribers = get_u32(tb[FIBER_A_INFO_SUBSCRIBERS]);
	info->subscribers_max = get_u32(tb[FIBER_A_INFO_SUBSCRIBERS_MAX]);
	info->subscribers_user_max =
		get_u32(tb[FIBER_A_INFO_SUBSCRIBERS_USER_MAX]);
	info->events_lost = get_u64(tb[FIBER_A_INFO_EVENTS_LOST]);
	return 0;
}

static int get_process(const struct nlattr *attr,
		       struct fiber_nl_process_stats *process)
{
	size_t len = get_bytes(attr, process, sizeof(*process));

	process->comm[sizeof(process->comm) - 1] = '\0';
	return len < offsetof(struct fiber_process_stats, ppid) ? -EBADMSG : 0;
}

/* The kernel's record, without what the library adds after it. */
static int get_thread(const struct nlattr *attr,
		      struct fiber_nl_thread_stats *thread)
{
	size_t len;

	memset(thread, 0, sizeof(*thread));
	len = get_bytes(attr, thread, sizeof(struct fiber_thread_stats));
	thread->comm[sizeof(thread->comm) - 1] = '\0';
	return len < offsetof(struct fiber_thread_stats, uid) ? -EBADMSG : 0;
}

int _fiber_nl_decode_process(const void *attrs, size_t size,
			     struct fiber_nl_process_stats *process)
{
	struct nlattr *tb[FIBER_A_TASK_MAX + 1];

	if (parse(attrs, size, tb, FIBER_A_TASK_MAX))
		return -EBADMSG;
	return get_process(tb[FIBER_A_TASK_PROCESS], process);
}

int _fiber_nl_decode_thread(const void *attrs, size_t size,
			    struct fiber_nl_thread_stats *thread,
			    struct thread_extra *extra)
{
	struct nlattr *tb[FIBER_A_TASK_MAX + 1];
	size_t len;

	if (parse(attrs, size, tb, FIBER_A_TASK_MAX))
		return -EBADMSG;
	if (get_thread(tb[FIBER_A_TASK_THREAD], thread))
		return -EBADMSG;
	if (tb[FIBER_A_TASK_SCHEDSTATS]) {
		get_bytes(tb[FIBER_A_TASK_SCHEDSTATS], &extra->schedstats,
			  sizeof(extra->schedstats));
		thread->schedstats = &extra->schedstats;
	}
	if (tb[FIBER_A_TASK_AFFINITY]) {
		len = get_bytes(tb[FIBER_A_TASK_AFFINITY], extra->affinity,
				sizeof(extra->affinity));
		thread->affinity = extra->affinity;
		thread->affinity_words = len / sizeof(extra->affinity[0]);
	}
	return 0;
}

/* Buckets past the last that we know are all above it. */
static void get_buckets(const struct nlattr *attr, uint64_t *buckets)
{
	size_t n = attr ? (size_t)nla_len(attr) / sizeof(uint64_t) : 0;
	const char *data = attr ? nla_data(attr) : NULL;
	uint64_t value;
	size_t i;

	for (i = 0; i < n; i++) {
		memcpy(&value, data + i * sizeof(value), sizeof(value));
		if (i < FIBER_NL_HIST_BUCKETS)
			buckets[i] = value;
		else
			buckets[FIBER_NL_HIST_BUCKETS - 1] += value;
	}
}

static void get_hist(const struct nlattr *attr,
		     struct fiber_nl_watch_stats *watch)
{
	struct nlattr *tb[FIBER_A_HIST_MAX + 1];
	struct fiber_nl_hist *hist;
	uint32_t kind;

	if (parse(nla_data(attr), (size_t)nla_len(attr), tb, FIBER_A_HIST_MAX))
		return;
	if (!tb[FIBER_A_HIST_KIND])
		return;
	kind = get_u32(tb[FIBER_A_HIST_KIND]);
	if (kind >= FIBER_NL_HIST_KINDS)
		return;
	hist = &watch->hist[kind];
	memset(hist, 0, sizeof(*hist));
	hist->count = get_u64(tb[FIBER_A_HIST_COUNT]);
	hist->sum_ns = get_u64(tb[FIBER_A_HIST_SUM_NS]);
	hist->max_ns = get_u64(tb[FIBER_A_HIST_MAX_NS]);
	get_buckets(tb[FIBER_A_HIST_BUCKETS], hist->buckets);
	watch->kinds |= 1u << kind;
}

int _fiber_nl_decode_watch_id(const void *attrs, size_t size, uint32_t *id)
{
	struct nlattr *tb[FIBER_A_WATCH_MAX + 1];

	if (parse(attrs, size, tb, FIBER_A_WATCH_MAX))
		return -EBADMSG;
	*id = get_u32(tb[FIBER_A_WATCH_ID]);
	return *id ? 0 : -EBADMSG;
}

int _fiber_nl_decode_watch(const void *attrs, size_t size,
			   struct fiber_nl_watch_stats *watch)
{
	struct nlattr *tb[FIBER_A_WATCH_MAX + 1];
	struct nlattr *attr;
	int rest;

	memset(watch, 0, sizeof(*watch));
	if (parse(attrs, size, tb, FIBER_A_WATCH_MAX))
		return -EBADMSG;
	watch->id = get_u32(tb[FIBER_A_WATCH_ID]);
	watch->pid = get_u32(tb[FIBER_A_WATCH_PID]);
	watch->ended = tb[FIBER_A_WATCH_ENDED] != NULL;
	watch->since_ns = get_u64(tb[FIBER_A_WATCH_SINCE_NS]);
	watch->lost = get_u64(tb[FIBER_A_WATCH_LOST]);
	nla_for_each_attr(attr, (struct nlattr *)(uintptr_t)attrs, (int)size,
			  rest) {
		if (nla_type(attr) == FIBER_A_WATCH_HIST)
			get_hist(attr, watch);
	}
	return watch->id ? 0 : -EBADMSG;
}

int _fiber_nl_decode_event(const void *attrs, size_t size,
			   struct fiber_nl_event *event)
{
	struct nlattr *tb[FIBER_A_EVENT_MAX + 1];

	memset(event, 0, sizeof(*event));
	if (parse(attrs, size, tb, FIBER_A_EVENT_MAX))
		return -EBADMSG;
	if (!tb[FIBER_A_EVENT_TYPE])
		return -EBADMSG;
	event->type = get_u32(tb[FIBER_A_EVENT_TYPE]);
	event->pid = get_u32(tb[FIBER_A_EVENT_PID]);
	event->tid = get_u32(tb[FIBER_A_EVENT_TID]);
	event->ppid = get_u32(tb[FIBER_A_EVENT_PPID]);
	event->uid = get_u32(tb[FIBER_A_EVENT_UID]);
	event->exit_code = get_u32(tb[FIBER_A_EVENT_EXIT_CODE]);
	event->time_ns = get_u64(tb[FIBER_A_EVENT_TIME_NS]);
	event->dropped = get_u64(tb[FIBER_A_EVENT_DROPPED]);
	get_string(tb[FIBER_A_EVENT_COMM], event->comm, sizeof(event->comm));
	event->has_process =
		!get_process(tb[FIBER_A_EVENT_PROCESS], &event->process);
	event->has_thread =
		!get_thread(tb[FIBER_A_EVENT_THREAD], &event->thread);
	return 0;
}

/*
 * Where the extended acknowledgement begins: after the error and the request
 * that it repeats, unless that is capped to its header.
 */
static size_t extack_offset(const struct nlmsghdr *msg, size_t size)
{
	struct nlmsgerr err;

	if (msg->nlmsg_type == NLMSG_DONE)
		return NLMSG_ALIGN(sizeof(int));
	if (size < sizeof(err))
		return SIZE_MAX;
	memcpy(&err, NLMSG_DATA(msg), sizeof(err));
	if ((msg->nlmsg_flags & NLM_F_CAPPED) ||
	    err.msg.nlmsg_len < NLMSG_HDRLEN)
		return sizeof(err);
	return sizeof(err) +
	       NLMSG_ALIGN((size_t)err.msg.nlmsg_len - NLMSG_HDRLEN);
}

int _fiber_nl_decode_end(const struct nlmsghdr *msg, char *why, size_t why_size)
{
	size_t size = msg->nlmsg_len - NLMSG_HDRLEN;
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	const char *data = NLMSG_DATA(msg);
	size_t offset;
	int err;

	why[0] = '\0';
	if (size < sizeof(err))
		return msg->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&err, data, sizeof(err));
	if (err < -4095 || err > 0)
		return -EBADMSG;
	if (!err || !(msg->nlmsg_flags & NLM_F_ACK_TLVS))
		return err;
	offset = extack_offset(msg, size);
	if (offset >= size ||
	    parse(data + offset, size - offset, tb, NLMSGERR_ATTR_MAX))
		return err;
	get_string(tb[NLMSGERR_ATTR_MSG], why, why_size);
	return err;
}
