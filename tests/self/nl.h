/* SPDX-License-Identifier: MIT */
/*
 * What the tests ask of the module, each request as one call.
 *
 * Rests on libnl alone, not on libfibernl: a test of the protocol must not
 * share a mistake with the library that speaks it. Every call returns 0 or
 * -errno as the module answered it, and leaves the module's sentence for a
 * refusal in nl->sentence. A module that does not answer within
 * NL_PATIENCE_S seconds is -EAGAIN. One thread of a program may ask at a time.
 */
#ifndef SELF_NL_H
#define SELF_NL_H

#include <stdbool.h>
#include <stdint.h>
#include <netlink/netlink.h>
#include <netlink/genl/genl.h>
#include <linux/fiber.h>

#define NL_PATIENCE_S 20
#define NL_ATTRS 32

struct nl {
	struct nl_sock *sock;
	int fd;
	int family;
	bool interrupted; /* NLM_F_DUMP_INTR in the last dump */
	char sentence[256]; /* of the last answer; "" without one */
};

/* A test hands each record of a dump to one of these. */
typedef void (*ask_fn)(struct nlattr **attr, void *arg);

int ask_open(struct nl *nl);
void ask_close(struct nl *nl);
void ask_adopt(struct nl *nl, int fd, int family);

struct nl_msg *ask_new(struct nl *nl, int cmd, int flags);
int ask_send(struct nl *nl, struct nl_msg *msg);
int ask_answer(struct nl *nl, unsigned int seq, ask_fn fn, void *arg);
int ask(struct nl *nl, struct nl_msg *msg, ask_fn fn, void *arg);
void ask_copy(void *to, size_t size, const struct nlattr *attr);

struct info {
	uint32_t features, probes, watches, watches_max, watches_user_max;
	uint32_t subscribers, subscribers_max, subscribers_user_max;
	uint64_t events_lost;
	char version[32];
};

int info_get(struct nl *nl, struct info *info);

/* Nothing set: no filter. Effective uid 0 is asked for by by_uid. */
struct filter {
	uint32_t pid, kinds, states, want;
	bool by_uid;
	uint32_t uid;
};

/* May be NULL, as may the others. */
typedef void (*process_fn)(const struct fiber_process_stats *process,
			   void *arg);
typedef void (*thread_fn)(const struct fiber_thread_stats *thread, void *arg);

int process_get(struct nl *nl, uint32_t pid,
		struct fiber_process_stats *process);
int process_dump(struct nl *nl, struct filter filter, process_fn fn, void *arg);
int thread_get(struct nl *nl, uint32_t tid, struct fiber_thread_stats *thread);
int thread_dump(struct nl *nl, struct filter filter, thread_fn fn, void *arg);

/* Of a thread, unasked in a do: both are zeroed when they do not come. */
struct thread_extra {
	uint64_t affinity[16];
	size_t affinity_words;
	bool has_schedstats;
	struct fiber_schedstats schedstats;
};

int thread_get_extra(struct nl *nl, uint32_t tid, struct thread_extra *extra);

struct hist {
	uint64_t count, sum_ns, max_ns;
	uint64_t buckets[FIBER_HIST_BUCKETS];
};

struct watch {
	uint32_t id, pid, kinds;
	uint32_t present; /* bit N: hist[N] came */
	uint64_t since_ns, lost;
	bool ended;
	struct hist hist[FIBER_HIST_KIND_PREEMPTED + 1];
};

/* pid 0: the whole system. kinds 0: left out, which is all of them. */
int watch_start(struct nl *nl, uint32_t pid, uint32_t kinds, uint32_t *id);
int watch_stop(struct nl *nl, uint32_t id);
int watch_get(struct nl *nl, uint32_t id, struct watch *watch);
int watch_dump(struct nl *nl, void (*fn)(const struct watch *watch, void *arg),
	       void *arg);

/* types 0, pid 0: left out. */
int subscribe(struct nl *nl, uint32_t types, uint32_t pid);
int unsubscribe(struct nl *nl);

struct event {
	uint32_t type, pid, uid, tid, ppid, exit_code;
	uint64_t time_ns, dropped;
	char comm[FIBER_COMM_LEN];
	bool has_exit_code, has_process, has_thread;
	struct fiber_process_stats process;
	struct fiber_thread_stats thread;
};

/* 1: an event; 0: none within the time; -ENOBUFS: the socket overflowed. */
int event_next(struct nl *nl, struct event *event, int timeout_ms);

#endif
