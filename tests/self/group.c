// SPDX-License-Identifier: MIT
/* Groups of threads, and the switch; the contract is in group.h. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "child.h"
#include "group.h"

struct created {
	uint32_t id;
	int fd;
};

static void take_group(struct nlattr **attr, void *arg)
{
	struct created *created = arg;

	if (attr[FIBER_A_GROUP_ID])
		created->id = nla_get_u32(attr[FIBER_A_GROUP_ID]);
	if (attr[FIBER_A_GROUP_FD])
		created->fd = nla_get_u32(attr[FIBER_A_GROUP_FD]);
}

int group_create_id(struct nl *nl, uint32_t *id)
{
	struct created created = { .fd = -EBADMSG };
	struct nl_msg *msg = ask_new(nl, FIBER_CMD_GROUP_CREATE, NLM_F_ACK);
	int err = ask(nl, msg, take_group, &created);

	*id = created.id;
	return err ? err : created.fd;
}

int group_create(struct nl *nl)
{
	uint32_t id;

	return group_create_id(nl, &id);
}

int group_attach(int fd)
{
	int handle = ioctl(fd, FIBER_IOC_ATTACH, 0);

	return handle < 0 ? -errno : handle;
}

int group_detach(int fd)
{
	return ioctl(fd, FIBER_IOC_DETACH, 0) ? -errno : 0;
}

int group_switch(int fd, struct fiber_switch *s)
{
	return ioctl(fd, FIBER_IOC_SWITCH, s) ? -errno : 0;
}

int group_switch_to(int fd, uint32_t target, int64_t until_ns)
{
	struct fiber_switch s = { .target = target, .until_ns = until_ns };

	return group_switch(fd, &s);
}

int group_resume(int fd, uint32_t target)
{
	struct fiber_switch s = { .target = target,
				  .flags = FIBER_SWITCH_FLAG_NOWAIT };

	return group_switch(fd, &s);
}

int group_park(int fd, int64_t until_ns)
{
	return group_switch_to(fd, 0, until_ns);
}

/* A deadline that has passed does not keep a token from being taken. */
int group_has_token(int fd)
{
	int err = group_park(fd, 0);

	return err == -ETIMEDOUT ? 0 : err ? err : 1;
}

int64_t in_ns(int64_t ns)
{
	return now_ns() + ns;
}

struct group_info {
	uint32_t groups, members;
};

static void take_info(struct nlattr **attr, void *arg)
{
	struct group_info *info = arg;

	info->groups = nla_get_u32(attr[FIBER_A_INFO_GROUPS]);
	info->members = nla_get_u32(attr[FIBER_A_INFO_MEMBERS]);
}

static struct group_info info_now(struct nl *nl)
{
	struct group_info info = { UINT32_MAX, UINT32_MAX };

	ask(nl, ask_new(nl, FIBER_CMD_INFO_GET, NLM_F_ACK), take_info, &info);
	return info;
}

uint32_t groups_now(struct nl *nl)
{
	return info_now(nl).groups;
}

uint32_t members_now(struct nl *nl)
{
	return info_now(nl).members;
}

/* ---- crews ---- */

static void *run_mate(void *arg)
{
	struct mate *mate = arg;

	return mate->crew->body(mate);
}

/* In two steps: a handle tells a mate from the others only once all have one. */
static void *attach_mate(void *arg)
{
	struct mate *mate = arg;
	int handle = group_attach(mate->crew->fd);

	mate->tid = gettid_();
	__atomic_store_n(&mate->handle, handle < 0 ? UINT32_MAX : handle,
			 __ATOMIC_RELEASE);
	for (int i = 0; i < mate->crew->n; i++)
		while (!__atomic_load_n(&mate->crew->mate[i].handle,
					__ATOMIC_ACQUIRE))
			sleep_ns(MS);
	return handle < 0 ? NULL : run_mate(mate);
}

static bool start_mate(struct mate *mate)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 4 * PTHREAD_STACK_MIN);
	ok = !pthread_create(&thread, &attr, attach_mate, mate);
	pthread_attr_destroy(&attr);
	mate->thread = thread;
	return ok;
}

bool crew_start(struct crew *crew, int n, int fd,
		void *(*body)(struct mate *mate), void *arg)
{
	bool ok = true;

	*crew = (struct crew){ .n = n, .fd = fd, .body = body, .arg = arg };
	crew->mate = calloc(n, sizeof(*crew->mate));
	for (int i = 0; ok && i < n; i++) {
		crew->mate[i].crew = crew;
		crew->mate[i].index = i;
		ok = start_mate(&crew->mate[i]);
	}
	for (int i = 0; ok && i < n; i++) {
		uint32_t *handle = &crew->mate[i].handle;

		while (!__atomic_load_n(handle, __ATOMIC_ACQUIRE))
			sleep_ns(MS);
		ok = *handle != UINT32_MAX;
	}
	return ok;
}

void crew_join(struct crew *crew)
{
	for (int i = 0; i < crew->n; i++)
		pthread_join(crew->mate[i].thread, NULL);
}

void crew_free(struct crew *crew)
{
	free(crew->mate);
}

static char state_of(uint32_t tid)
{
	char path[64], line[512], state = '?', *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/stat", tid);
	file = fopen(path, "re");
	if (!file)
		return state;
	if (fgets(line, sizeof(line), file)) {
		end = strrchr(line, ')');
		if (end)
			state = end[2];
	}
	fclose(file);
	return state;
}

bool wait_asleep(uint32_t tid)
{
	for (int i = 0; i < 5000; i++) {
		if (state_of(tid) == 'S')
			return true;
		sleep_ns(MS);
	}
	return false;
}
