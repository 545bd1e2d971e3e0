/* SPDX-License-Identifier: MIT */
/*
 * What every test starts with: the kselftest harness, the requests, /proc and
 * children; and a fixture that is a socket. Include it once a program.
 */
#ifndef SELF_SELF_H
#define SELF_SELF_H

#include <errno.h>
#include <string.h>
#include <kselftest_harness.h>
#include "child.h"
#include "nl.h"
#include "proc.h"

/* Emulated kernels with every check on are some fifty times slower. */
#define SLOW_S 110

FIXTURE(fiber)
{
	struct nl nl;
};

FIXTURE_SETUP(fiber)
{
	int err = ask_open(&self->nl);

	if (err == -ENOENT)
		SKIP(return, "the kernel has no family \"fiber\"");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(fiber)
{
	if (self->nl.sock)
		ask_close(&self->nl);
}

/* For helpers of a test that use EXPECT and ASSERT. */
#define TEST_ARG struct __test_metadata *_metadata

#endif
