// SPDX-License-Identifier: MIT
/*
 * Requests and answers, with a kernel made of a script: each read of the socket
 * takes the next datagram or error of it.
 *
 * send(), recvmsg() and poll() are replaced by the linker (--wrap).
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "internal.h"
#include "message.h"

#define FAMILY 31
#define STEPS 32

/* What one read finds. */
struct step {
	int err; /* instead of a datagram */
	uint32_t from; /* port of the sender; the kernel's is 0 */
	char data[1024];
	size_t len;
};

static struct script {
	struct step steps[STEPS];
	size_t n, at;
	unsigned int sent;
	uint32_t seq; /* of the last request */
} script;

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
int __wrap_poll(struct pollfd *pfds, nfds_t n, int timeout);

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	struct nlmsghdr head;

	(void)fd;
	(void)flags;
	memcpy(&head, data, sizeof(head));
	script.seq = head.nlmsg_seq;
	script.sent++;
	return (ssize_t)len;
}

/* The sequence number 1 in a script stands for the last request's. */
static void set_seq(char *data, size_t len)
{
	struct nlmsghdr head;
	size_t at;

	for (at = 0; at < len; at += NLMSG_ALIGN(head.nlmsg_len)) {
		memcpy(&head, data + at, sizeof(head));
		if (head.nlmsg_seq == 1)
			head.nlmsg_seq = script.seq;
		memcpy(data + at, &head, sizeof(head));
	}
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct sockaddr_nl *from = msg->msg_name;
	struct step *step = &script.steps[script.at];

	(void)fd;
	(void)flags;
	if (script.at == script.n)
		fail_msg("a read beyond the script's end");
	script.at++;
	if (step->err) {
		errno = step->err;
		return -1;
	}
	memcpy(msg->msg_iov->iov_base, step->data, step->len);
	set_seq(msg->msg_iov->iov_base, step->len);
	from->nl_pid = step->from;
	msg->msg_namelen = sizeof(*from);
	msg->msg_flags = 0;
	return (ssize_t)step->len;
}

int __wrap_poll(struct pollfd *pfds, nfds_t n, int timeout)
{
	(void)pfds;
	(void)n;
	(void)timeout;
	return script.at < script.n;
}

static void begin(void)
{
	memset(&script, 0, sizeof(script));
}

static struct step *add_step(void)
{
	assert_true(script.n < STEPS);
	return &script.steps[script.n++];
}

static void add_error(int err)
{
	add_step()->err = err;
}

static void add_message(struct step *step, int type, int flags, uint32_t seq,
			const void *body, size_t len)
{
	struct nlmsghdr head = { .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len),
				 .nlmsg_type = (uint16_t)type,
				 .nlmsg_flags = (uint16_t)flags,
				 .nlmsg_seq = seq };

	memcpy(step->data + step->len, &head, sizeof(head));
	memcpy(step->data + step->len + sizeof(head), body, len);
	step->len += NLMSG_ALIGN(head.nlmsg_len);
}

static void add_record(struct step *step, int flags, uint32_t seq, int type,
		       const void *payload, size_t len)
{
	struct message m = { .len = GENL_HDRLEN };

	put(&m, type, payload, len);
	add_message(step, FAMILY, flags, seq, m.data, m.len);
}

static void add_process(struct step *step, int flags, uint32_t seq,
			uint32_t pid)
{
	struct fiber_process_stats process = { .version = 1, .pid = pid };

	add_record(step, flags, seq, FIBER_A_TASK_PROCESS, &process,
		   sizeof(process));
}

static void add_event(struct step *step)
{
	uint32_t type = FIBER_EVENT_TYPE_FORK;

	add_record(step, 0, 0, FIBER_A_EVENT_TYPE, &type, sizeof(type));
}

/* The end of a dump, or of a request when @type is NLMSG_ERROR. */
static void add_end(struct step *step, int type, int flags, int err)
{
	struct nlmsgerr body = { .error = err };

	add_message(step, type, flags, 1, &body, sizeof(body));
}

static void add_dump(uint32_t pid, int flags)
{
	struct step *step = add_step();

	add_process(step, flags, 1, pid);
	add_process(step, 0, 1, pid + 1);
	step = add_step();
	add_end(step, NLMSG_DONE, 0, 0);
}

static struct fiber_nl *new_handle(void)
{
	struct fiber_nl *nl = calloc(1, sizeof(*nl));

	assert_non_null(nl);
	nl->family = FAMILY;
	nl->requests = nl_socket_alloc();
	assert_non_null(nl->requests);
	return nl;
}

struct seen {
	uint32_t pids[8];
	size_t n;
};

static int see(const struct fiber_nl_process_stats *process, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->n < 8);
	seen->pids[seen->n++] = process->pid;
	return process->pid == 99 ? 7 : 0;
}

static void dump_is_delivered(void **state)
{
	struct fiber_nl *nl = new_handle();
	struct seen seen = { .n = 0 };

	(void)state;
	begin();
	add_dump(10, 0);
	assert_int_equal(fiber_nl_processes(nl, NULL, see, &seen), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.pids[1], 11);
	assert_int_equal(script.sent, 1);
	fiber_nl_close(nl);
}

static void interrupted_dump_is_read_again_without_doubles(void **state)
{
	struct fiber_nl *nl = new_handle();
	struct seen seen = { .n = 0 };

	(void)state;
	begin();
	add_dump(10, NLM_F_DUMP_INTR);
	add_error(ENOBUFS);
	add_dump(20, 0);
	assert_int_equal(fiber_nl_processes(nl, NULL, see, &seen), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.pids[0], 20);
	assert_int_equal(script.sent, 3);
	fiber_nl_close(nl);
}

static void dump_is_given_up_after_3_retries(void **state)
{
	struct fiber_nl *nl = new_handle();
	struct seen seen = { .n = 0 };
	int i;

	(void)state;
	begin();
	for (i = 0; i < 5; i++)
		add_dump(10, NLM_F_DUMP_INTR);
	assert_int_equal(fiber_nl_processes(nl, NULL, see, &seen), -EAGAIN);
	assert_int_equal(seen.n, 0);
	assert_int_equal(script.sent, 4);
	assert_non_null(strstr(fiber_nl_error(nl), "changed too fast"));
	fiber_nl_close(nl);
}

static void callback_ends_the_list(void **state)
{
	struct fiber_nl *nl = new_handle();
	struct seen seen = { .n = 0 };

	(void)state;
	begin();
	add_dump(99, 0);
	assert_int_equal(fiber_nl_processes(nl, NULL, see, &seen), 7);
	assert_int_equal(seen.n, 1);
	fiber_nl_close(nl);
}

static void others_and_the_past_are_ignored(void **state)
{
	struct fiber_nl *nl = new_handle();
	struct seen seen = { .n = 0 };
	struct step *step;

	(void)state;
	begin();
	step = add_step();
	step->from = 4711;
	add_process(step, 0, 1, 66);
	add_end(step, NLMSG_DONE, 0, 0);
	add_error(EINTR);
	step = add_step();
	add_end(step, NLMSG_ERROR, 0, -EPERM);
	((struct nlmsghdr *)(void *)step->data)->nlmsg_seq = 12345;
	add_dump(10, 0);
	assert_int_equal(fiber_nl_processes(nl, NULL, see, &seen), 0);
	assert_int_equal(seen.pids[0], 10);
	fiber_nl_close(nl);
}

static void errors_are_told(void **state)
{
	struct fiber_nl_process_stats process;
	struct fiber_nl *nl = new_handle();
	struct seen seen = { .n = 0 };

	(void)state;
	begin();
	add_end(add_step(), NLMSG_ERROR, NLM_F_CAPPED, -ESRCH);
	assert_int_equal(fiber_nl_process(nl, 5, &process), -ESRCH);
	assert_string_equal(fiber_nl_error(nl), "no such process or thread");
	/* A dump's own error comes with its end. */
	add_end(add_step(), NLMSG_DONE, 0, -ENOMEM);
	assert_int_equal(fiber_nl_processes(nl, NULL, see, &seen), -ENOMEM);
	/* The family's number went with the module. */
	add_end(add_step(), NLMSG_ERROR, NLM_F_CAPPED, -ENOENT);
	assert_int_equal(fiber_nl_process(nl, 5, &process), -ENODEV);
	/* Success without what was asked for. */
	add_end(add_step(), NLMSG_ERROR, NLM_F_CAPPED, 0);
	assert_int_equal(fiber_nl_process(nl, 5, &process), -EBADMSG);
	fiber_nl_close(nl);
}

static void one_process_is_read(void **state)
{
	struct fiber_nl_process_stats process;
	struct fiber_nl *nl = new_handle();

	(void)state;
	begin();
	add_process(add_step(), 0, 1, 5);
	add_end(add_step(), NLMSG_ERROR, NLM_F_CAPPED, 0);
	assert_int_equal(fiber_nl_process(nl, 5, &process), 0);
	assert_int_equal(process.pid, 5);
	fiber_nl_close(nl);
}

/* As fiber_nl_subscribe() leaves it, without its socket. */
static struct fiber_nl *new_subscriber(void)
{
	struct fiber_nl *nl = new_handle();
	struct nl_msg *msg =
		_fiber_nl_request(nl, FIBER_CMD_SUBSCRIBE, NLM_F_ACK);

	nl->events = nl_socket_alloc();
	assert_non_null(nl->events);
	assert_int_equal(_fiber_nl_ask(nl, nl->events, msg, &nl->pending), 0);
	return nl;
}

static void events_before_the_ack_are_kept(void **state)
{
	struct fiber_nl_event event;
	struct fiber_nl *nl;

	(void)state;
	begin();
	add_event(add_step());
	add_event(add_step());
	add_end(add_step(), NLMSG_ERROR, NLM_F_CAPPED, 0);
	nl = new_subscriber();
	add_event(add_step());
	assert_int_equal(fiber_nl_event_next(nl, &event, 0), 1);
	assert_int_equal(event.type, FIBER_NL_EVENT_FORK);
	assert_int_equal(fiber_nl_event_next(nl, &event, 0), 1);
	assert_int_equal(fiber_nl_event_next(nl, &event, 0), 1);
	assert_int_equal(fiber_nl_event_next(nl, &event, 0), 0);
	fiber_nl_close(nl);
}

static void lost_events_are_told_once(void **state)
{
	struct fiber_nl_event event;
	struct fiber_nl *nl;

	(void)state;
	begin();
	add_end(add_step(), NLMSG_ERROR, NLM_F_CAPPED, 0);
	nl = new_subscriber();
	add_error(ENOBUFS);
	add_event(add_step());
	assert_int_equal(fiber_nl_event_next(nl, &event, -1), -ENOBUFS);
	assert_int_equal(fiber_nl_event_next(nl, &event, -1), 1);
	fiber_nl_close(nl);
}

static void no_subscription_is_told(void **state)
{
	struct fiber_nl *nl = new_handle();
	struct fiber_nl_event event;

	(void)state;
	assert_int_equal(fiber_nl_event_next(nl, &event, 0), -ENOENT);
	assert_int_equal(fiber_nl_event_fd(nl), -ENOENT);
	assert_int_equal(fiber_nl_unsubscribe(nl), -ENOENT);
	fiber_nl_close(nl);
	fiber_nl_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_is_delivered),
		cmocka_unit_test(
			interrupted_dump_is_read_again_without_doubles),
		cmocka_unit_test(dump_is_given_up_after_3_retries),
		cmocka_unit_test(callback_ends_the_list),
		cmocka_unit_test(others_and_the_past_are_ignored),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(one_process_is_read),
		cmocka_unit_test(events_before_the_ack_are_kept),
		cmocka_unit_test(lost_events_are_told_once),
		cmocka_unit_test(no_subscription_is_told),
	};

	return RUN(tests);
}
