/* SPDX-License-Identifier: MIT */
/*
 * Groups of threads, and the switch: each request as one call, which returns 0
 * (a handle, a descriptor) or -errno.
 */
#ifndef SELF_GROUP_H
#define SELF_GROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/fiber_group.h>
#include "nl.h"

#define FOREVER INT64_MAX
#define PATIENCE_NS (60 * 1000000000ll) /* no switch of a test takes longer */

int group_create(struct nl *nl); /* descriptor */
int group_create_id(struct nl *nl, uint32_t *id);
int group_attach(int fd); /* handle */
int group_detach(int fd);

int group_switch(int fd, struct fiber_switch *s);
int group_switch_to(int fd, uint32_t target, int64_t until_ns);
int group_resume(int fd, uint32_t target);
int group_park(int fd, int64_t until_ns);
int group_has_token(int fd); /* 1 and takes it, 0, or -errno */
int64_t in_ns(int64_t ns); /* a deadline so far from now */

uint32_t groups_now(struct nl *nl);
uint32_t members_now(struct nl *nl);

/* Threads of one group, each attached before any runs its body. */
struct crew {
	struct mate *mate;
	int n, fd;
	void *(*body)(struct mate *mate);
	void *arg;
};

struct mate {
	struct crew *crew;
	int index;
	uint32_t handle; /* 0: could not attach */
	uint32_t tid;
	int err; /* for the test to set */
	unsigned long count; /* too */
	unsigned long thread; /* pthread_t */
};

bool crew_start(struct crew *crew, int n, int fd,
		void *(*body)(struct mate *mate), void *arg);
void crew_join(struct crew *crew); /* its mates can be looked at after it */
void crew_free(struct crew *crew);

/* Waits until the thread sleeps, of whatever process; false if it does not. */
bool wait_asleep(uint32_t tid);

#endif
