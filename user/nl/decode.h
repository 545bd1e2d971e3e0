/* SPDX-License-Identifier: MIT */
/*
 * The module's messages to plain structs.
 *
 * No I/O and no state, so that tests and a fuzzer can feed anything. The input
 * is the attributes of one message, 4-byte aligned; no length in it is trusted.
 * What is unknown or too long is passed over, what is short leaves the fields
 * after it 0. All return 0, or -EBADMSG when what identifies the record is
 * not there.
 */
#ifndef FIBER_NL_DECODE_H
#define FIBER_NL_DECODE_H

#include <linux/netlink.h>

#include <fiber/nl.h>

/* CPUs of the largest kernel, 8192, in words. */
#define AFFINITY_WORDS_MAX 128

/* What a thread's record points at. */
struct thread_extra {
	struct fiber_nl_schedstats schedstats;
	uint64_t affinity[AFFINITY_WORDS_MAX];
};

int _fiber_nl_decode_info(const void *attrs, size_t size,
			  struct fiber_nl_module_info *info);
int _fiber_nl_decode_process(const void *attrs, size_t size,
			     struct fiber_nl_process_stats *process);
int _fiber_nl_decode_thread(const void *attrs, size_t size,
			    struct fiber_nl_thread_stats *thread,
			    struct thread_extra *extra);
int _fiber_nl_decode_watch_id(const void *attrs, size_t size, uint32_t *id);
int _fiber_nl_decode_watch(const void *attrs, size_t size,
			   struct fiber_nl_watch_stats *watch);
int _fiber_nl_decode_event(const void *attrs, size_t size,
			   struct fiber_nl_event *event);

/*
 * The error and the sentence of an NLMSG_ERROR or NLMSG_DONE message that is
 * wholly there. Returns 0 or -errno; without a sentence @why gets "".
 */
int _fiber_nl_decode_end(const struct nlmsghdr *msg, char *why,
			 size_t why_size);

#endif /* FIBER_NL_DECODE_H */
