/* SPDX-License-Identifier: MIT */
/*
 * Generic netlink with as little between the caller and the kernel as there
 * can be: a measurement counts the kernel, and not a library's parsing.
 */
#ifndef BENCH_GENL_H
#define BENCH_GENL_H

#include <stdint.h>

struct genl {
	int fd;
	uint16_t family;
	uint32_t seq;
};

int genl_open(struct genl *g, const char *family); /* 0 or -errno */
void genl_close(struct genl *g);

/*
 * One request with one u32 attribute, none when attr is 0. With dump, to the
 * end of the dump, else to the first answer. Returns how many records came,
 * or -errno.
 */
long genl_ask(struct genl *g, int cmd, int dump, int attr, uint32_t value);

/* The u32 in the last record's first attribute. */
uint32_t genl_first_u32(void);

#endif
