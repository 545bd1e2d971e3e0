// SPDX-License-Identifier: MIT
/* Requests to the module, and its answers; the contract is in nl.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include "nl.h"

#define RECV_SIZE (64 * 1024)
/* libnl's own choice holds some fifty events; the kernel's limit is this. */
#define RCVBUF_SIZE (208 * 1024)

static int receive(struct nl *nl, void *buf)
{
	ssize_t len = recv(nl->fd, buf, RECV_SIZE, 0);

	return len < 0 ? -errno : (int)len;
}

static void options(int fd)
{
	struct timeval patience = { .tv_sec = NL_PATIENCE_S };
	int on = 1, size = RCVBUF_SIZE;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
}

int ask_open(struct nl *nl)
{
	memset(nl, 0, sizeof(*nl));
	nl->sock = nl_socket_alloc();
	if (!nl->sock)
		return -ENOMEM;
	if (genl_connect(nl->sock)) {
		nl_socket_free(nl->sock);
		return -EPROTO;
	}
	nl->fd = nl_socket_get_fd(nl->sock);
	nl->family = genl_ctrl_resolve(nl->sock, FIBER_FAMILY_NAME);
	if (nl->family < 0) {
		ask_close(nl);
		return -ENOENT;
	}
	options(nl->fd);
	return 0;
}

void ask_close(struct nl *nl)
{
	nl_socket_free(nl->sock);
	nl->sock = NULL;
}

/*
 * Speak through a socket that someone else opened. The descriptor of the
 * new one is replaced, so that libnl still builds and sends the messages.
 */
void ask_adopt(struct nl *nl, int fd, int family)
{
	memset(nl, 0, sizeof(*nl));
	nl->sock = nl_socket_alloc();
	nl_socket_set_fd(nl->sock, NETLINK_GENERIC, fd);
	nl->fd = fd;
	nl->family = family;
	options(fd);
}

struct nl_msg *ask_new(struct nl *nl, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
		    NLM_F_REQUEST | flags, cmd, FIBER_FAMILY_VERSION);
	return msg;
}

/* Returns the sequence number, or -errno. Consumes the message. */
int ask_send(struct nl *nl, struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	int seq, err = 0;

	nl_complete_msg(nl->sock, msg);
	seq = nlh->nlmsg_seq & 0x7fffffff;
	nlh->nlmsg_seq = seq;
	if (send(nl->fd, nlh, nlh->nlmsg_len, 0) < 0)
		err = -errno;
	nlmsg_free(msg);
	return err ? err : seq;
}

static void take_sentence(struct nl *nl, void *tlvs, int len)
{
	struct nlattr *text = nla_find(tlvs, len, NLMSGERR_ATTR_MSG);

	if (text)
		nla_strlcpy(nl->sentence, text, sizeof(nl->sentence));
}

/* The end of a do, or of a dump that did not begin. */
static int take_error(struct nl *nl, struct nlmsghdr *nlh)
{
	struct nlmsgerr *e = nlmsg_data(nlh);
	int head = sizeof(*e);

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		head += nlmsg_datalen(&e->msg);
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		take_sentence(nl, (char *)e + head, nlmsg_datalen(nlh) - head);
	return e->error;
}

/* The end of a dump. */
static int take_done(struct nl *nl, struct nlmsghdr *nlh)
{
	int *err = nlmsg_data(nlh);

	if (nlmsg_datalen(nlh) < (int)sizeof(*err))
		return 0;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		take_sentence(nl, err + 1, nlmsg_datalen(nlh) - sizeof(*err));
	return *err;
}

/* 1: more is to come; else the answer. */
static int take_message(struct nl *nl, struct nlmsghdr *nlh, ask_fn fn,
			void *arg)
{
	struct nlattr *attr[NL_ATTRS];

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		nl->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return take_error(nl, nlh);
	if (nlh->nlmsg_type == NLMSG_DONE)
		return take_done(nl, nlh);
	if (nlh->nlmsg_type != nl->family)
		return -EPROTO;
	if (genlmsg_parse(nlh, 0, attr, NL_ATTRS - 1, NULL))
		return -EBADMSG;
	if (fn)
		fn(attr, arg);
	return 1;
}

int ask_answer(struct nl *nl, unsigned int seq, ask_fn fn, void *arg)
{
	static char buf[RECV_SIZE] __attribute__((aligned(16)));
	int len, ret = 1;

	nl->sentence[0] = '\0';
	nl->interrupted = false;
	while (ret == 1) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)buf;

		len = receive(nl, buf);
		if (len < 0)
			return len;
		for (; ret == 1 && nlmsg_ok(nlh, len);
		     nlh = nlmsg_next(nlh, &len))
			if (nlh->nlmsg_seq == seq)
				ret = take_message(nl, nlh, fn, arg);
	}
	return ret;
}

int ask(struct nl *nl, struct nl_msg *msg, ask_fn fn, void *arg)
{
	int seq = ask_send(nl, msg);

	return seq < 0 ? seq : ask_answer(nl, seq, fn, arg);
}

/* A struct may be shorter or longer than ours; what did not come is 0. */
void ask_copy(void *to, size_t size, const struct nlattr *attr)
{
	size_t len = attr ? (size_t)nla_len(attr) : 0;

	memset(to, 0, size);
	if (len)
		memcpy(to, nla_data(attr), len < size ? len : size);
}

static uint32_t get_u32(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static uint64_t get_u64(struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static void put_u32(struct nl_msg *msg, int type, uint32_t value)
{
	if (value)
		nla_put_u32(msg, type, value);
}

static void take_info(struct nlattr **attr, void *arg)
{
	struct info *info = arg;

	info->features = get_u32(attr[FIBER_A_INFO_FEATURES]);
	info->probes = get_u32(attr[FIBER_A_INFO_PROBES]);
	info->watches = get_u32(attr[FIBER_A_INFO_WATCHES]);
	info->watches_max = get_u32(attr[FIBER_A_INFO_WATCHES_MAX]);
	info->watches_user_max = get_u32(attr[FIBER_A_INFO_WATCHES_USER_MAX]);
	info->subscribers = get_u32(attr[FIBER_A_INFO_SUBSCRIBERS]);
	info->subscribers_max = get_u32(attr[FIBER_A_INFO_SUBSCRIBERS_MAX]);
	info->subscribers_user_max =
		get_u32(attr[FIBER_A_INFO_SUBSCRIBERS_USER_MAX]);
	info->events_lost = get_u64(attr[FIBER_A_INFO_EVENTS_LOST]);
	if (attr[FIBER_A_INFO_VERSION])
		nla_strlcpy(info->version, attr[FIBER_A_INFO_VERSION],
			    sizeof(info->version));
}

int info_get(struct nl *nl, struct info *info)
{
	memset(info, 0, sizeof(*info));
	return ask(nl, ask_new(nl, FIBER_CMD_INFO_GET, NLM_F_ACK), take_info,
		   info);
}

static struct nl_msg *dump_request(struct nl *nl, int cmd,
				   const struct filter *filter)
{
	struct nl_msg *msg = ask_new(nl, cmd, NLM_F_DUMP);

	put_u32(msg, FIBER_A_TASK_PID, filter->pid);
	put_u32(msg, FIBER_A_TASK_KINDS, filter->kinds);
	put_u32(msg, FIBER_A_TASK_STATES, filter->states);
	put_u32(msg, FIBER_A_TASK_WANT, filter->want);
	if (filter->by_uid)
		nla_put_u32(msg, FIBER_A_TASK_UID, filter->uid);
	return msg;
}

static void take_process(struct nlattr **attr, void *arg)
{
	ask_copy(arg, sizeof(struct fiber_process_stats),
		 attr[FIBER_A_TASK_PROCESS]);
}

int process_get(struct nl *nl, uint32_t pid,
		struct fiber_process_stats *process)
{
	struct nl_msg *msg = ask_new(nl, FIBER_CMD_PROCESS_GET, NLM_F_ACK);

	memset(process, 0, sizeof(*process));
	nla_put_u32(msg, FIBER_A_TASK_PID, pid);
	return ask(nl, msg, take_process, process);
}

struct process_sink {
	process_fn fn;
	void *arg;
};

static void pass_process(struct nlattr **attr, void *arg)
{
	struct process_sink *sink = arg;
	struct fiber_process_stats process;

	take_process(attr, &process);
	if (sink->fn)
		sink->fn(&process, sink->arg);
}

int process_dump(struct nl *nl, struct filter filter, process_fn fn, void *arg)
{
	struct process_sink sink = { fn, arg };

	return ask(nl, dump_request(nl, FIBER_CMD_PROCESS_GET, &filter),
		   pass_process, &sink);
}

static void take_thread(struct nlattr **attr, void *arg)
{
	ask_copy(arg, sizeof(struct fiber_thread_stats),
		 attr[FIBER_A_TASK_THREAD]);
}

static int thread_ask(struct nl *nl, uint32_t tid, ask_fn fn, void *arg)
{
	struct nl_msg *msg = ask_new(nl, FIBER_CMD_THREAD_GET, NLM_F_ACK);

	nla_put_u32(msg, FIBER_A_TASK_TID, tid);
	return ask(nl, msg, fn, arg);
}

int thread_get(struct nl *nl, uint32_t tid, struct fiber_thread_stats *thread)
{
	memset(thread, 0, sizeof(*thread));
	return thread_ask(nl, tid, take_thread, thread);
}

struct thread_sink {
	thread_fn fn;
	void *arg;
};

static void pass_thread(struct nlattr **attr, void *arg)
{
	struct thread_sink *sink = arg;
	struct fiber_thread_stats thread;

	take_thread(attr, &thread);
	if (sink->fn)
		sink->fn(&thread, sink->arg);
}

int thread_dump(struct nl *nl, struct filter filter, thread_fn fn, void *arg)
{
	struct thread_sink sink = { fn, arg };

	return ask(nl, dump_request(nl, FIBER_CMD_THREAD_GET, &filter),
		   pass_thread, &sink);
}

static void take_extra(struct nlattr **attr, void *arg)
{
	struct thread_extra *extra = arg;
	struct nlattr *affinity = attr[FIBER_A_TASK_AFFINITY];

	ask_copy(extra->affinity, sizeof(extra->affinity), affinity);
	extra->affinity_words = affinity ? nla_len(affinity) / 8 : 0;
	extra->has_schedstats = attr[FIBER_A_TASK_SCHEDSTATS];
	ask_copy(&extra->schedstats, sizeof(extra->schedstats),
		 attr[FIBER_A_TASK_SCHEDSTATS]);
}

int thread_get_extra(struct nl *nl, uint32_t tid, struct thread_extra *extra)
{
	memset(extra, 0, sizeof(*extra));
	return thread_ask(nl, tid, take_extra, extra);
}

static void take_id(struct nlattr **attr, void *arg)
{
	*(uint32_t *)arg = get_u32(attr[FIBER_A_WATCH_ID]);
}

int watch_start(struct nl *nl, uint32_t pid, uint32_t kinds, uint32_t *id)
{
	struct nl_msg *msg = ask_new(nl, FIBER_CMD_WATCH, NLM_F_ACK);

	*id = 0;
	put_u32(msg, FIBER_A_WATCH_PID, pid);
	put_u32(msg, FIBER_A_WATCH_KINDS, kinds);
	return ask(nl, msg, take_id, id);
}

int watch_stop(struct nl *nl, uint32_t id)
{
	struct nl_msg *msg = ask_new(nl, FIBER_CMD_UNWATCH, NLM_F_ACK);

	nla_put_u32(msg, FIBER_A_WATCH_ID, id);
	return ask(nl, msg, NULL, NULL);
}

static void take_hist(struct watch *watch, struct nlattr *nest)
{
	struct nlattr *attr[FIBER_A_HIST_MAX + 1];
	struct hist *hist;
	uint32_t kind;

	if (nla_parse_nested(attr, FIBER_A_HIST_MAX, nest, NULL))
		return;
	kind = get_u32(attr[FIBER_A_HIST_KIND]);
	if (kind > FIBER_HIST_KIND_PREEMPTED)
		return;
	hist = &watch->hist[kind];
	watch->present |= 1u << kind;
	hist->count = get_u64(attr[FIBER_A_HIST_COUNT]);
	hist->sum_ns = get_u64(attr[FIBER_A_HIST_SUM_NS]);
	hist->max_ns = get_u64(attr[FIBER_A_HIST_MAX_NS]);
	ask_copy(hist->buckets, sizeof(hist->buckets),
		 attr[FIBER_A_HIST_BUCKETS]);
}

/* The histograms repeat one attribute, so the parsed table has only the last:
 * walk on from the first attribute of the record, which is the id.
 */
static void take_watch(struct nlattr **attr, void *arg)
{
	struct watch *watch = arg;
	struct nlattr *last = attr[FIBER_A_WATCH_HIST],
		      *at = attr[FIBER_A_WATCH_ID];

	memset(watch, 0, sizeof(*watch));
	watch->id = get_u32(attr[FIBER_A_WATCH_ID]);
	watch->pid = get_u32(attr[FIBER_A_WATCH_PID]);
	watch->kinds = get_u32(attr[FIBER_A_WATCH_KINDS]);
	watch->since_ns = get_u64(attr[FIBER_A_WATCH_SINCE_NS]);
	watch->lost = get_u64(attr[FIBER_A_WATCH_LOST]);
	watch->ended = attr[FIBER_A_WATCH_ENDED];
	for (; last && at && at <= last;
	     at = (void *)((char *)at + NLA_ALIGN(at->nla_len)))
		if (nla_type(at) == FIBER_A_WATCH_HIST)
			take_hist(watch, at);
}

int watch_get(struct nl *nl, uint32_t id, struct watch *watch)
{
	struct nl_msg *msg = ask_new(nl, FIBER_CMD_HIST_GET, NLM_F_ACK);

	memset(watch, 0, sizeof(*watch));
	nla_put_u32(msg, FIBER_A_WATCH_ID, id);
	return ask(nl, msg, take_watch, watch);
}

struct watch_sink {
	void (*fn)(const struct watch *watch, void *arg);
	void *arg;
};

static void pass_watch(struct nlattr **attr, void *arg)
{
	struct watch_sink *sink = arg;
	struct watch watch;

	take_watch(attr, &watch);
	sink->fn(&watch, sink->arg);
}

int watch_dump(struct nl *nl, void (*fn)(const struct watch *watch, void *arg),
	       void *arg)
{
	struct watch_sink sink = { fn, arg };

	return ask(nl, ask_new(nl, FIBER_CMD_HIST_GET, NLM_F_DUMP), pass_watch,
		   &sink);
}

int subscribe(struct nl *nl, uint32_t types, uint32_t pid)
{
	struct nl_msg *msg = ask_new(nl, FIBER_CMD_SUBSCRIBE, NLM_F_ACK);

	put_u32(msg, FIBER_A_EVENT_TYPES, types);
	put_u32(msg, FIBER_A_EVENT_PID, pid);
	return ask(nl, msg, NULL, NULL);
}

int unsubscribe(struct nl *nl)
{
	return ask(nl, ask_new(nl, FIBER_CMD_UNSUBSCRIBE, NLM_F_ACK), NULL,
		   NULL);
}

static void take_event(struct nlattr **attr, struct event *event)
{
	memset(event, 0, sizeof(*event));
	event->type = get_u32(attr[FIBER_A_EVENT_TYPE]);
	event->pid = get_u32(attr[FIBER_A_EVENT_PID]);
	event->uid = get_u32(attr[FIBER_A_EVENT_UID]);
	event->tid = get_u32(attr[FIBER_A_EVENT_TID]);
	event->ppid = get_u32(attr[FIBER_A_EVENT_PPID]);
	event->exit_code = get_u32(attr[FIBER_A_EVENT_EXIT_CODE]);
	event->time_ns = get_u64(attr[FIBER_A_EVENT_TIME_NS]);
	event->dropped = get_u64(attr[FIBER_A_EVENT_DROPPED]);
	event->has_exit_code = attr[FIBER_A_EVENT_EXIT_CODE];
	event->has_process = attr[FIBER_A_EVENT_PROCESS];
	event->has_thread = attr[FIBER_A_EVENT_THREAD];
	ask_copy(&event->process, sizeof(event->process),
		 attr[FIBER_A_EVENT_PROCESS]);
	ask_copy(&event->thread, sizeof(event->thread),
		 attr[FIBER_A_EVENT_THREAD]);
	if (attr[FIBER_A_EVENT_COMM])
		nla_strlcpy(event->comm, attr[FIBER_A_EVENT_COMM],
			    sizeof(event->comm));
}

/* The module sends each event as a datagram of its own. */
int event_next(struct nl *nl, struct event *event, int timeout_ms)
{
	static char buf[RECV_SIZE] __attribute__((aligned(16)));
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	struct pollfd pfd = { .fd = nl->fd, .events = POLLIN };
	struct nlattr *attr[NL_ATTRS];
	int len;

	for (;;) {
		if (poll(&pfd, 1, timeout_ms) <= 0)
			return 0;
		len = receive(nl, buf);
		if (len < 0)
			return len;
		if (nlmsg_ok(nlh, len) && nlh->nlmsg_type == nl->family &&
		    genlmsg_hdr(nlh)->cmd == FIBER_CMD_EVENT)
			break;
	}
	if (genlmsg_parse(nlh, 0, attr, NL_ATTRS - 1, NULL))
		return -EBADMSG;
	take_event(attr, event);
	return 1;
}
