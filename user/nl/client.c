// SPDX-License-Identifier: MIT
/*
 * Reads and watches: the handle's requests.
 */
#include <errno.h>
#include <stdlib.h>

#include <netlink/genl/ctrl.h>
#include <netlink/netlink.h>

#include "internal.h"

int fiber_nl_open(struct fiber_nl **nlp)
{
	struct fiber_nl *nl = calloc(1, sizeof(*nl));
	int err;

	*nlp = NULL;
	if (!nl)
		return -ENOMEM;
	err = _fiber_nl_sock_open(&nl->requests);
	if (err)
		goto err_close;
	nl->family = genl_ctrl_resolve(nl->requests, FIBER_FAMILY_NAME);
	if (nl->family < 0) {
		err = _fiber_nl_from_libnl(nl->family);
		goto err_close;
	}
	*nlp = nl;
	return 0;

err_close:
	fiber_nl_close(nl);
	return err;
}

void fiber_nl_close(struct fiber_nl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->events);
	nl_socket_free(nl->requests);
	_fiber_nl_buf_free(&nl->answer);
	_fiber_nl_buf_free(&nl->pending);
	free(nl);
}

static void put_u32(struct nl_msg **msg, int type, uint32_t value)
{
	if (*msg && nla_put_u32(*msg, type, value)) {
		nlmsg_free(*msg);
		*msg = NULL;
	}
}

static int ask(struct fiber_nl *nl, struct nl_msg *msg)
{
	nl->answer.len = 0;
	return _fiber_nl_ask(nl, nl->requests, msg, &nl->answer);
}

/* A request for one thing, with at most one attribute; @type 0 is none. */
static int ask_one(struct fiber_nl *nl, int cmd, int type, uint32_t value)
{
	struct nl_msg *msg = _fiber_nl_request(nl, cmd, NLM_F_ACK);

	if (type)
		put_u32(&msg, type, value);
	return ask(nl, msg);
}

/* The next record of the answer, from *at on; false when there is none. */
static bool next_record(struct fiber_nl *nl, size_t *at, const void **attrs,
			size_t *size)
{
	const struct nlmsghdr *msg;

	while ((msg = _fiber_nl_next(&nl->answer, at))) {
		if (_fiber_nl_payload(nl, msg, attrs, size))
			return true;
	}
	return false;
}

/* The attributes of the answer's only record. */
static int only_record(struct fiber_nl *nl, const void **attrs, size_t *size)
{
	size_t at = 0;

	if (next_record(nl, &at, attrs, size))
		return 0;
	return _fiber_nl_fail(nl, -EBADMSG, NULL);
}

static int decoded(struct fiber_nl *nl, int err)
{
	return err ? _fiber_nl_fail(nl, err, NULL) : 0;
}

int fiber_nl_info(struct fiber_nl *nl, struct fiber_nl_module_info *info)
{
	const void *attrs;
	size_t size;
	int err;

	err = ask_one(nl, FIBER_CMD_INFO_GET, 0, 0);
	if (!err)
		err = only_record(nl, &attrs, &size);
	if (err)
		return err;
	return decoded(nl, _fiber_nl_decode_info(attrs, size, info));
}

int fiber_nl_process(struct fiber_nl *nl, uint32_t pid,
		     struct fiber_nl_process_stats *process)
{
	const void *attrs;
	size_t size;
	int err;

	err = ask_one(nl, FIBER_CMD_PROCESS_GET, FIBER_A_TASK_PID, pid);
	if (!err)
		err = only_record(nl, &attrs, &size);
	if (err)
		return err;
	return decoded(nl, _fiber_nl_decode_process(attrs, size, process));
}

int fiber_nl_thread(struct fiber_nl *nl, uint32_t tid,
		    struct fiber_nl_thread_stats *thread)
{
	const void *attrs;
	size_t size;
	int err;

	err = ask_one(nl, FIBER_CMD_THREAD_GET, FIBER_A_TASK_TID, tid);
	if (!err)
		err = only_record(nl, &attrs, &size);
	if (err)
		return err;
	return decoded(nl, _fiber_nl_decode_thread(attrs, size, thread,
						   &nl->extra));
}

static int ask_tasks(struct fiber_nl *nl, int cmd,
		     const struct fiber_nl_filter *filter)
{
	struct nl_msg *msg = _fiber_nl_request(nl, cmd, NLM_F_DUMP);

	if (filter && filter->pid)
		put_u32(&msg, FIBER_A_TASK_PID, filter->pid);
	if (filter && filter->has_uid)
		put_u32(&msg, FIBER_A_TASK_UID, filter->uid);
	if (filter && filter->kinds)
		put_u32(&msg, FIBER_A_TASK_KINDS, filter->kinds);
	if (filter && filter->states)
		put_u32(&msg, FIBER_A_TASK_STATES, filter->states);
	if (filter && filter->want && cmd == FIBER_CMD_THREAD_GET)
		put_u32(&msg, FIBER_A_TASK_WANT, filter->want);
	return ask(nl, msg);
}

int fiber_nl_processes(struct fiber_nl *nl,
		       const struct fiber_nl_filter *filter,
		       fiber_nl_process_fn *fn, void *arg)
{
	struct fiber_nl_process_stats process;
	const void *attrs;
	size_t at = 0;
	size_t size;
	int err;

	err = ask_tasks(nl, FIBER_CMD_PROCESS_GET, filter);
	while (!err && next_record(nl, &at, &attrs, &size)) {
		err = decoded(nl,
			      _fiber_nl_decode_process(attrs, size, &process));
		if (!err)
			err = fn(&process, arg);
	}
	return err;
}

int fiber_nl_threads(struct fiber_nl *nl, const struct fiber_nl_filter *filter,
		     fiber_nl_thread_fn *fn, void *arg)
{
	struct fiber_nl_thread_stats thread;
	const void *attrs;
	size_t at = 0;
	size_t size;
	int err;

	err = ask_tasks(nl, FIBER_CMD_THREAD_GET, filter);
	while (!err && next_record(nl, &at, &attrs, &size)) {
		err = decoded(nl, _fiber_nl_decode_thread(attrs, size, &thread,
							  &nl->extra));
		if (!err)
			err = fn(&thread, arg);
	}
	return err;
}

int fiber_nl_watch(struct fiber_nl *nl, uint32_t pid, uint32_t kinds,
		   uint32_t *id)
{
	struct nl_msg *msg = _fiber_nl_request(nl, FIBER_CMD_WATCH, NLM_F_ACK);
	const void *attrs;
	size_t size;
	int err;

	if (pid)
		put_u32(&msg, FIBER_A_WATCH_PID, pid);
	if (kinds)
		put_u32(&msg, FIBER_A_WATCH_KINDS, kinds);
	err = ask(nl, msg);
	if (!err)
		err = only_record(nl, &attrs, &size);
	if (err)
		return err;
	return decoded(nl, _fiber_nl_decode_watch_id(attrs, size, id));
}

int fiber_nl_unwatch(struct fiber_nl *nl, uint32_t id)
{
	return ask_one(nl, FIBER_CMD_UNWATCH, FIBER_A_WATCH_ID, id);
}

int fiber_nl_hist(struct fiber_nl *nl, uint32_t id,
		  struct fiber_nl_watch_stats *watch)
{
	const void *attrs;
	size_t size;
	int err;

	err = ask_one(nl, FIBER_CMD_HIST_GET, FIBER_A_WATCH_ID, id);
	if (!err)
		err = only_record(nl, &attrs, &size);
	if (err)
		return err;
	return decoded(nl, _fiber_nl_decode_watch(attrs, size, watch));
}

int fiber_nl_hists(struct fiber_nl *nl, fiber_nl_watch_fn *fn, void *arg)
{
	struct fiber_nl_watch_stats watch;
	const void *attrs;
	size_t at = 0;
	size_t size;
	int err;

	err = ask(nl, _fiber_nl_request(nl, FIBER_CMD_HIST_GET, NLM_F_DUMP));
	while (!err && next_record(nl, &at, &attrs, &size)) {
		err = decoded(nl, _fiber_nl_decode_watch(attrs, size, &watch));
		if (!err)
			err = fn(&watch, arg);
	}
	return err;
}
