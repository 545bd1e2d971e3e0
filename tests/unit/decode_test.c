// SPDX-License-Identifier: MIT
/*
 * The decoders bear every message: right, short, long, cut off, absurd.
 */
#include <errno.h>

#include <linux/fiber.h>

#include "decode.h"
#include "message.h"

static void info_is_read(void **state)
{
	struct fiber_nl_module_info info;
	struct message m = { .len = 0 };

	(void)state;
	put(&m, FIBER_A_INFO_VERSION, "1.2.3", 6);
	put_u32(&m, FIBER_A_INFO_FEATURES, 0x7f);
	put_u32(&m, FIBER_A_INFO_PROBES, 3);
	put_u32(&m, FIBER_A_INFO_WATCHES, 4);
	put_u32(&m, FIBER_A_INFO_WATCHES_MAX, 64);
	put_u64(&m, FIBER_A_INFO_EVENTS_LOST, 1ull << 40);
	assert_int_equal(_fiber_nl_decode_info(m.data, m.len, &info), 0);
	assert_string_equal(info.version, "1.2.3");
	assert_int_equal(info.features, 0x7f);
	assert_int_equal(info.probes, 3);
	assert_int_equal(info.watches, 4);
	assert_int_equal(info.watches_max, 64);
	assert_int_equal(info.subscribers_max, 0);
	assert_true(info.events_lost == 1ull << 40);
}

static void info_wants_a_version(void **state)
{
	struct fiber_nl_module_info info;
	struct message m = { .len = 0 };
	char longer[100];

	(void)state;
	put_u32(&m, FIBER_A_INFO_FEATURES, 1);
	assert_int_equal(_fiber_nl_decode_info(m.data, m.len, &info), -EBADMSG);
	memset(longer, 'v', sizeof(longer));
	put(&m, FIBER_A_INFO_VERSION, longer, sizeof(longer));
	assert_int_equal(_fiber_nl_decode_info(m.data, m.len, &info), 0);
	assert_int_equal(strlen(info.version), sizeof(info.version) - 1);
}

static struct fiber_process_stats a_process(void)
{
	struct fiber_process_stats p = { .version = 1,
					 .pid = 42,
					 .ppid = 1,
					 .uid = 1000,
					 .nice = -20,
					 .runtime_ns = 1ull << 60,
					 .cgroup_id = 77 };

	memset(p.comm, 'x', sizeof(p.comm));
	return p;
}

static void process_is_read(void **state)
{
	struct fiber_process_stats sent = a_process();
	struct fiber_nl_process_stats got;
	struct message m = { .len = 0 };

	(void)state;
	put(&m, FIBER_A_TASK_PROCESS, &sent, sizeof(sent));
	assert_int_equal(_fiber_nl_decode_process(m.data, m.len, &got), 0);
	assert_int_equal(got.pid, 42);
	assert_int_equal(got.uid, 1000);
	assert_int_equal(got.nice, -20);
	assert_true(got.runtime_ns == 1ull << 60);
	assert_true(got.cgroup_id == 77);
	/* It had no NUL. */
	assert_string_equal(got.comm, "xxxxxxxxxxxxxxx");
}

static void shorter_process_leaves_the_rest_0(void **state)
{
	struct fiber_process_stats sent = a_process();
	struct fiber_nl_process_stats got;
	struct message m = { .len = 0 };

	(void)state;
	put(&m, FIBER_A_TASK_PROCESS, &sent,
	    offsetof(struct fiber_process_stats, runtime_ns));
	memset(&got, 0xff, sizeof(got));
	assert_int_equal(_fiber_nl_decode_process(m.data, m.len, &got), 0);
	assert_int_equal(got.pid, 42);
	assert_true(got.runtime_ns == 0);
	assert_int_equal(got.comm[0], 0);
}

static void longer_process_is_cut(void **state)
{
	struct {
		struct fiber_process_stats p;
		char more[64];
	} sent = { .p = a_process() };
	struct fiber_nl_process_stats got;
	struct message m = { .len = 0 };

	(void)state;
	memset(sent.more, 0xee, sizeof(sent.more));
	put(&m, FIBER_A_TASK_PROCESS, &sent, sizeof(sent));
	assert_int_equal(_fiber_nl_decode_process(m.data, m.len, &got), 0);
	assert_true(got.cgroup_id == 77);
}

static void process_without_pid_is_refused(void **state)
{
	struct fiber_process_stats sent = a_process();
	struct fiber_nl_process_stats got;
	struct message m = { .len = 0 };

	(void)state;
	assert_int_equal(_fiber_nl_decode_process(m.data, 0, &got), -EBADMSG);
	put(&m, FIBER_A_TASK_PROCESS, &sent, 7);
	assert_int_equal(_fiber_nl_decode_process(m.data, m.len, &got),
			 -EBADMSG);
}

static void thread_is_read_with_its_extras(void **state)
{
	struct fiber_thread_stats sent = { .version = 1, .tid = 43, .pid = 42 };
	struct fiber_schedstats sched = { .version = 1, .wait_max_ns = 99 };
	uint64_t cpus[2] = { 5, 1 };
	struct fiber_nl_thread_stats got;
	struct thread_extra extra;
	struct message m = { .len = 0 };

	(void)state;
	put(&m, FIBER_A_TASK_THREAD, &sent, sizeof(sent));
	assert_int_equal(_fiber_nl_decode_thread(m.data, m.len, &got, &extra),
			 0);
	assert_int_equal(got.tid, 43);
	assert_null(got.schedstats);
	assert_null(got.affinity);
	put(&m, FIBER_A_TASK_AFFINITY, cpus, sizeof(cpus));
	put(&m, FIBER_A_TASK_SCHEDSTATS, &sched, sizeof(sched));
	assert_int_equal(_fiber_nl_decode_thread(m.data, m.len, &got, &extra),
			 0);
	assert_int_equal(got.affinity_words, 2);
	assert_true(got.affinity[0] == 5 && got.affinity[1] == 1);
	assert_true(got.schedstats->wait_max_ns == 99);
}

static void affinity_of_any_length(void **state)
{
	static uint64_t cpus[AFFINITY_WORDS_MAX + 10];
	struct fiber_thread_stats sent = { .tid = 43, .pid = 42 };
	struct fiber_nl_thread_stats got;
	struct thread_extra extra;
	struct message m = { .len = 0 };

	(void)state;
	put(&m, FIBER_A_TASK_THREAD, &sent, sizeof(sent));
	put(&m, FIBER_A_TASK_AFFINITY, cpus, sizeof(cpus));
	assert_int_equal(_fiber_nl_decode_thread(m.data, m.len, &got, &extra),
			 0);
	assert_int_equal(got.affinity_words, AFFINITY_WORDS_MAX);
	/* The last one given counts: half a word is none. */
	put(&m, FIBER_A_TASK_AFFINITY, cpus, 4);
	assert_int_equal(_fiber_nl_decode_thread(m.data, m.len, &got, &extra),
			 0);
	assert_int_equal(got.affinity_words, 0);
}

static void put_hist(struct message *m, uint32_t kind, size_t buckets)
{
	static uint64_t counts[64];
	struct message nest = { .len = 0 };
	size_t i;

	for (i = 0; i < 64; i++)
		counts[i] = 1;
	put_u32(&nest, FIBER_A_HIST_KIND, kind);
	put_u64(&nest, FIBER_A_HIST_COUNT, 7);
	put_u64(&nest, FIBER_A_HIST_MAX_NS, 70);
	put(&nest, FIBER_A_HIST_BUCKETS, counts, buckets * sizeof(counts[0]));
	put(m, FIBER_A_WATCH_HIST | NLA_F_NESTED, nest.data, nest.len);
}

static void watch_is_read(void **state)
{
	struct fiber_nl_watch_stats got;
	struct message m = { .len = 0 };

	(void)state;
	put_u32(&m, FIBER_A_WATCH_ID, 9);
	put_u32(&m, FIBER_A_WATCH_PID, 42);
	put_u64(&m, FIBER_A_WATCH_SINCE_NS, 1000);
	put(&m, FIBER_A_WATCH_ENDED, NULL, 0);
	put_hist(&m, FIBER_HIST_KIND_SLICE, FIBER_HIST_BUCKETS);
	put_hist(&m, FIBER_HIST_KIND_DISK, FIBER_HIST_BUCKETS);
	assert_int_equal(_fiber_nl_decode_watch(m.data, m.len, &got), 0);
	assert_int_equal(got.id, 9);
	assert_int_equal(got.pid, 42);
	assert_true(got.ended);
	assert_int_equal(got.kinds,
			 FIBER_HIST_MASK_SLICE | FIBER_HIST_MASK_DISK);
	assert_true(got.hist[FIBER_NL_HIST_SLICE].count == 7);
	assert_true(got.hist[FIBER_NL_HIST_SLICE].max_ns == 70);
	assert_true(got.hist[FIBER_NL_HIST_DISK].buckets[39] == 1);
}

static void odd_histograms_are_borne(void **state)
{
	struct fiber_nl_watch_stats got;
	struct message m = { .len = 0 };

	(void)state;
	put_hist(&m, FIBER_HIST_KIND_RUNQ, 64);
	assert_int_equal(_fiber_nl_decode_watch(m.data, m.len, &got), -EBADMSG);
	put_u32(&m, FIBER_A_WATCH_ID, 9);
	put_hist(&m, 12345, FIBER_HIST_BUCKETS);
	put(&m, FIBER_A_WATCH_HIST, "\xff\xff\xff\xff\xff", 5);
	put(&m, FIBER_A_WATCH_HIST, NULL, 0);
	put_hist(&m, FIBER_HIST_KIND_SLICE, 3);
	assert_int_equal(_fiber_nl_decode_watch(m.data, m.len, &got), 0);
	assert_int_equal(got.kinds,
			 FIBER_HIST_MASK_RUNQ | FIBER_HIST_MASK_SLICE);
	/* 64 - 40 more than our last one are in it. */
	assert_true(got.hist[FIBER_NL_HIST_RUNQ].buckets[39] == 25);
	assert_true(got.hist[FIBER_NL_HIST_SLICE].buckets[2] == 1);
	assert_true(got.hist[FIBER_NL_HIST_SLICE].buckets[3] == 0);
}

static void watch_id_is_read(void **state)
{
	struct message m = { .len = 0 };
	uint32_t id;

	(void)state;
	assert_int_equal(_fiber_nl_decode_watch_id(m.data, 0, &id), -EBADMSG);
	put_u32(&m, FIBER_A_WATCH_ID, 3);
	assert_int_equal(_fiber_nl_decode_watch_id(m.data, m.len, &id), 0);
	assert_int_equal(id, 3);
}

static void event_is_read(void **state)
{
	struct fiber_process_stats process = a_process();
	struct fiber_nl_event got;
	struct message m = { .len = 0 };

	(void)state;
	assert_int_equal(_fiber_nl_decode_event(m.data, 0, &got), -EBADMSG);
	put_u32(&m, FIBER_A_EVENT_TYPE, FIBER_EVENT_TYPE_EXIT);
	put_u32(&m, FIBER_A_EVENT_PID, 42);
	put_u32(&m, FIBER_A_EVENT_EXIT_CODE, 9);
	put(&m, FIBER_A_EVENT_COMM, "sh", 3);
	assert_int_equal(_fiber_nl_decode_event(m.data, m.len, &got), 0);
	assert_false(got.has_process);
	put(&m, FIBER_A_EVENT_PROCESS, &process, sizeof(process));
	put_u64(&m, FIBER_A_EVENT_DROPPED, 5);
	assert_int_equal(_fiber_nl_decode_event(m.data, m.len, &got), 0);
	assert_int_equal(got.type, FIBER_NL_EVENT_EXIT);
	assert_int_equal(got.pid, 42);
	assert_int_equal(got.exit_code, 9);
	assert_string_equal(got.comm, "sh");
	assert_true(got.has_process && !got.has_thread);
	assert_int_equal(got.process.pid, 42);
	assert_true(got.dropped == 5);
}

/* Every decoder on the same bytes, in a block of just that size. */
static void decode_all(const char *data, size_t len)
{
	static union {
		struct fiber_nl_module_info info;
		struct fiber_nl_process_stats process;
		struct fiber_nl_thread_stats thread;
		struct fiber_nl_watch_stats watch;
		struct fiber_nl_event event;
		uint32_t id;
	} out;
	static struct thread_extra extra;
	char *block = malloc(len ? len : 1);

	assert_non_null(block);
	memcpy(block, data, len);
	_fiber_nl_decode_info(block, len, &out.info);
	_fiber_nl_decode_process(block, len, &out.process);
	_fiber_nl_decode_thread(block, len, &out.thread, &extra);
	_fiber_nl_decode_watch_id(block, len, &out.id);
	_fiber_nl_decode_watch(block, len, &out.watch);
	_fiber_nl_decode_event(block, len, &out.event);
	free(block);
}

static void hostile_lengths_are_borne(void **state)
{
	static const uint16_t claims[] = { 0, 1, 3, 4, 5, 8, 100, 32767, 65531 };
	size_t i;
	int type;

	(void)state;
	for (type = 0; type <= 16; type++) {
		for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
			struct message m = { .len = 0 };

			put_raw(&m, type, "12345678", 8, claims[i]);
			decode_all(m.data, m.len);
			/* nla_len below its own header. */
			memset(m.data, 0, 2);
			decode_all(m.data, m.len);
		}
	}
}

static void everything(struct message *m)
{
	struct fiber_thread_stats thread = { .tid = 43, .pid = 42 };
	struct fiber_process_stats process = a_process();

	put_u32(m, FIBER_A_WATCH_ID, 9);
	put_hist(m, FIBER_HIST_KIND_RUNQ, FIBER_HIST_BUCKETS);
	put(m, FIBER_A_TASK_PROCESS, &process, sizeof(process));
	put(m, FIBER_A_TASK_THREAD, &thread, sizeof(thread));
	put(m, FIBER_A_EVENT_PROCESS, &process, sizeof(process));
	put(m, FIBER_A_EVENT_THREAD, &thread, sizeof(thread));
}

static void cut_off_anywhere_is_borne(void **state)
{
	struct message m = { .len = 0 };
	size_t len;

	(void)state;
	everything(&m);
	for (len = 0; len <= m.len; len++)
		decode_all(m.data, len);
}

static void damage_anywhere_is_borne(void **state)
{
	struct message whole = { .len = 0 };
	struct message m;
	unsigned int round;
	unsigned int i;

	(void)state;
	everything(&whole);
	srandom(1);
	for (round = 0; round < 20000; round++) {
		m = whole;
		for (i = 0; i < 4; i++)
			m.data[(size_t)random() % m.len] = (char)random();
		decode_all(m.data, m.len - (size_t)random() % 8);
	}
}

/* An NLMSG_ERROR or NLMSG_DONE with a sentence. */
struct end {
	struct nlmsghdr head;
	char data[256];
};

static struct end make_end(int type, int flags, int err, size_t repeated,
			   const char *why, size_t why_len)
{
	struct end end = { .head = { .nlmsg_type = (uint16_t)type,
				     .nlmsg_flags = (uint16_t)flags } };
	struct nlmsgerr body = { .error = err };
	struct message m = { .len = 0 };
	size_t at = sizeof(int);

	body.msg.nlmsg_len = NLMSG_HDRLEN + (uint32_t)repeated;
	memcpy(end.data, &body, sizeof(body));
	if (type == NLMSG_ERROR)
		at = sizeof(body) + (flags & NLM_F_CAPPED ? 0 : repeated);
	put(&m, NLMSGERR_ATTR_MSG, why, why_len);
	memcpy(end.data + at, m.data, m.len);
	end.head.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + at + m.len);
	return end;
}

static void errors_bring_their_sentence(void **state)
{
	struct end end;
	char why[64];

	(void)state;
	end = make_end(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, -EPERM, 40,
		       "no", 3);
	assert_int_equal(_fiber_nl_decode_end(&end.head, why, sizeof(why)),
			 -EPERM);
	assert_string_equal(why, "no");
	end = make_end(NLMSG_ERROR, NLM_F_ACK_TLVS, -ESRCH, 40, "gone", 5);
	assert_int_equal(_fiber_nl_decode_end(&end.head, why, sizeof(why)),
			 -ESRCH);
	assert_string_equal(why, "gone");
	end = make_end(NLMSG_DONE, NLM_F_ACK_TLVS, -ENOMEM, 0, "full", 5);
	assert_int_equal(_fiber_nl_decode_end(&end.head, why, sizeof(why)),
			 -ENOMEM);
	assert_string_equal(why, "full");
	end = make_end(NLMSG_ERROR, NLM_F_CAPPED, -EPERM, 0, "unsaid", 7);
	assert_int_equal(_fiber_nl_decode_end(&end.head, why, sizeof(why)),
			 -EPERM);
	assert_string_equal(why, "");
}

static void hostile_ends_are_borne(void **state)
{
	struct end end;
	char why[16];
	uint32_t len;

	(void)state;
	end = make_end(NLMSG_ERROR, NLM_F_ACK_TLVS, 5, 0, "x", 1);
	assert_int_equal(_fiber_nl_decode_end(&end.head, why, sizeof(why)),
			 -EBADMSG);
	end = make_end(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED, -EPERM, 0,
		       "no NUL, and longer than the room for it", 39);
	assert_int_equal(_fiber_nl_decode_end(&end.head, why, sizeof(why)),
			 -EPERM);
	assert_string_equal(why, "no NUL, and lon");
	for (len = NLMSG_HDRLEN; len < end.head.nlmsg_len; len++) {
		struct nlmsghdr *block = malloc(len);

		assert_non_null(block);
		memcpy(block, &end, len);
		block->nlmsg_len = len;
		block->nlmsg_flags &= (uint16_t) ~(len % 2 ? NLM_F_CAPPED : 0);
		_fiber_nl_decode_end(block, why, sizeof(why));
		free(block);
	}
	/* A request that claims to be longer than the message. */
	end = make_end(NLMSG_ERROR, NLM_F_ACK_TLVS, -EPERM, 40, "no", 3);
	memset(end.data + sizeof(int), 0xff, sizeof(uint32_t));
	assert_int_equal(_fiber_nl_decode_end(&end.head, why, sizeof(why)),
			 -EPERM);
	assert_string_equal(why, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_is_read),
		cmocka_unit_test(info_wants_a_version),
		cmocka_unit_test(process_is_read),
		cmocka_unit_test(shorter_process_leaves_the_rest_0),
		cmocka_unit_test(longer_process_is_cut),
		cmocka_unit_test(process_without_pid_is_refused),
		cmocka_unit_test(thread_is_read_with_its_extras),
		cmocka_unit_test(affinity_of_any_length),
		cmocka_unit_test(watch_is_read),
		cmocka_unit_test(odd_histograms_are_borne),
		cmocka_unit_test(watch_id_is_read),
		cmocka_unit_test(event_is_read),
		cmocka_unit_test(hostile_lengths_are_borne),
		cmocka_unit_test(cut_off_anywhere_is_borne),
		cmocka_unit_test(damage_anywhere_is_borne),
		cmocka_unit_test(errors_bring_their_sentence),
		cmocka_unit_test(hostile_ends_are_borne),
	};

	return RUN(tests);
}
