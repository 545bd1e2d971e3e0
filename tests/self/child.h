/* SPDX-License-Identifier: MIT */
/*
 * Children that do as they are told, and die with their test.
 *
 * A gate is a pipe: whoever waits at it sleeps until it is opened, any number
 * of times. A child closes nothing: its descriptors end with it.
 */
#ifndef SELF_CHILD_H
#define SELF_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define USER_ID 1000 /* the VM's unprivileged user and group */
#define OTHER_ID 1001 /* someone else, without a name */
#define MS 1000000ull /* ns */
#define SECOND 1000000000ull /* ns */

struct gate {
	int fd[2];
};

bool gate_make(struct gate *gate);
void gate_open(struct gate *gate, int times);
void gate_wait(struct gate *gate);
bool gate_wait_ms(struct gate *gate, int timeout_ms);
void gate_close(struct gate *gate);

/* body runs in the child, whose exit status is what it returns. */
pid_t child_start(int (*body)(void *arg), void *arg);
int child_wait(pid_t pid); /* wait status */
void child_kill(pid_t pid); /* SIGKILL, and wait */
int child_run(int (*body)(void *arg), void *arg); /* exit status, or -1 */

bool become(uid_t id); /* all user and group ids; stays dumpable */
void spin_ns(uint64_t ns); /* that much CPU time of this thread */
void sleep_ns(uint64_t ns);
uint64_t now_ns(void); /* CLOCK_MONOTONIC */
pid_t gettid_(void);

/* Memory that children share with their parent, zeroed. */
void *share(size_t size);

/* n threads of this process, each body(arg); false if they cannot be had. */
bool threads_start(int n, void *(*body)(void *arg), void *arg);

int sleep_for_ever(void *arg);
void *sleep_for_ever_thread(void *arg);

#endif
