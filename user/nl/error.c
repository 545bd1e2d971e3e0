// SPDX-License-Identifier: MIT
/*
 * Errors and their sentences.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/errno.h>

#include "internal.h"

static const struct {
	int err;
	const char *sentence;
} sentences[] = {
	{ ENODEV, "the fiber module is not loaded" },
	{ EPERM, "not permitted" },
	{ EACCES, "not permitted" },
	{ ESRCH, "no such process or thread" },
	{ ENOENT, "no such watch or subscription" },
	{ EEXIST, "this handle has a subscription already" },
	{ EOPNOTSUPP, "the kernel or the loaded module is too old for that" },
	{ EPROTONOSUPPORT, "this kernel has no generic netlink" },
	{ ENOMEM, "out of memory" },
	{ ENOBUFS, "messages were lost because they were read too slowly" },
	{ EAGAIN, "the list of tasks changed too fast to be read" },
	{ EBADMSG, "the module's answer makes no sense" },
	{ EMSGSIZE, "the module's answer is too long" },
	{ EDQUOT, "too many of this user's watches or subscriptions" },
	{ ENOSPC, "too many watches or subscriptions" },
};

const char *fiber_nl_strerror(int err)
{
	size_t i;

	err = abs(err);
	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (sentences[i].err == err)
			return sentences[i].sentence;
	}
	return strerror(err);
}

const char *fiber_nl_error(const struct fiber_nl *nl)
{
	return nl->error;
}

/* Remember why, and return @err. */
int _fiber_nl_fail(struct fiber_nl *nl, int err, const char *why)
{
	snprintf(nl->error, sizeof(nl->error), "%s",
		 why && *why ? why : fiber_nl_strerror(err));
	return err;
}

int _fiber_nl_from_libnl(int nle)
{
	switch (abs(nle)) {
	case NLE_OBJ_NOTFOUND:
		return -ENODEV;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EPROTONOSUPPORT;
	default:
		return -EIO;
	}
}
