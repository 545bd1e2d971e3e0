// SPDX-License-Identifier: MIT
/*
 * Groups come and go, ten thousand of them, and nothing of them stays.
 */
#include <unistd.h>
#include "self.h"
#include "group.h"

#define GROUPS 10000
#define MANY_S 400 /* runtests gives up before, but on slow kernels */

TEST_F_TIMEOUT(fiber, create_and_drop, MANY_S)
{
	uint32_t id, last = 0;

	for (int i = 0; i < GROUPS; i++) {
		int fd = group_create_id(&self->nl, &id);

		ASSERT_LE(0, fd);
		ASSERT_NE(last, id);
		if (i % 8 == 0)
			ASSERT_LT(0, group_attach(fd));
		close(fd);
		last = id;
	}
	EXPECT_EQ(0, groups_now(&self->nl));
	EXPECT_EQ(0, members_now(&self->nl));
}

TEST_HARNESS_MAIN
