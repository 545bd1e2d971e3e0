// SPDX-License-Identifier: MIT
/*
 * A configuration of another version of the library works as far as it can, and
 * what makes no sense is refused, and starts nothing.
 */
#include <errno.h>
#include <stddef.h>

#include "harness.h"
#include "runtime.h"

struct newer_config {
	struct fiber_config config;
	uint64_t more[4];
};

static int main_of_run(void *arg)
{
	(void)arg;
	return 7;
}

/* Both ways of starting say the same. */
static int try_config(const struct fiber_config *config)
{
	struct fiber_status status = { .size = sizeof(status) };
	int err = fiber_run(main_of_run, NULL, config);
	int start_err = fiber_start(config);

	if (err == 7) {
		CHECK_EQ(start_err, 0);
		CHECK_EQ(fiber_status(&status), 0);
		runtime_stop();
		return 0;
	}
	CHECK_EQ(err, start_err);
	CHECK_EQ(fiber_status(&status), -EPERM);
	return err;
}

static void older_and_newer(void)
{
	struct newer_config newer = { 0 };

	CHECK_EQ(try_config(NULL), 0);
	CHECK_EQ(try_config(&newer.config), -EINVAL);
	newer.config.size = sizeof(size_t) - 1;
	CHECK_EQ(try_config(&newer.config), -EINVAL);
	newer.config.size = sizeof(newer.config);
	CHECK_EQ(try_config(&newer.config), 0);
	newer.config.size = sizeof(newer);
	CHECK_EQ(try_config(&newer.config), 0);
	newer.more[0] = 1;
	CHECK_EQ(try_config(&newer.config), -E2BIG);
	newer.more[0] = 0;
	newer.more[3] = 1u << 31;
	CHECK_EQ(try_config(&newer.config), -E2BIG);
	/* What is past the end of an older one is not looked at. */
	newer.config.size = offsetof(struct fiber_config, spares);
	newer.config.spares = 1000;
	CHECK_EQ(try_config(&newer.config), 0);
	newer.config.size = offsetof(struct fiber_config, stack_size);
	newer.config.stack_size = 1;
	newer.config.guard = 1000;
	CHECK_EQ(try_config(&newer.config), 0);
}

static void nonsense_is_refused(void)
{
	static const struct fiber_config nonsense[] = {
		{ .workers = 257 },
		{ .workers = UINT32_MAX },
		{ .flags = 4 },
		{ .flags = 1u << 31 },
		{ .flags = FIBER_TEST_MIGRATE | 8 },
		{ .stack_size = 1 },
		{ .stack_size = 4096 },
		{ .stack_size = 64 * 1024 + 1 },
		{ .stack_size = 64 * 1024 + 2048 },
		{ .stack_size = SIZE_MAX },
		{ .stack_size = SIZE_MAX - 4095 },
		{ .guard = FIBER_GUARDS_SOFT + 1 },
		{ .guard = UINT32_MAX },
		{ .spares = 257 },
		{ .spares = UINT32_MAX - 1 },
	};
	size_t i;

	for (i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		struct fiber_config config = nonsense[i];

		config.size = sizeof(config);
		CHECK_EQ(try_config(&config), -EINVAL);
	}
	CHECK_EQ(try_config(NULL), 0);
}

static void sense_is_not(void)
{
	static const struct fiber_config sense[] = {
		{ .workers = 1 },
		{ .workers = 256 },
		{ .spares = 256 },
		{ .spares = FIBER_SPARES_NONE },
		{ .flags = FIBER_TEST_MIGRATE },
		{ .flags = FIBER_TEST_CLOCK },
		{ .flags = FIBER_TEST_MIGRATE | FIBER_TEST_CLOCK },
		{ .stack_size = 32 * 1024 },
		{ .stack_size = 1024 * 1024 },
		{ .guard = FIBER_GUARDS_PROTECT },
		{ .guard = FIBER_GUARDS_SOFT },
		{ .grace_ns = FIBER_FOREVER },
		{ .seed = UINT64_MAX },
	};
	size_t i;

	for (i = 0; i < sizeof(sense) / sizeof(sense[0]); i++) {
		struct fiber_config config = sense[i];

		config.size = sizeof(config);
		CHECK_EQ(try_config(&config), 0);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(older_and_newer),
		TEST(nonsense_is_refused),
		TEST(sense_is_not),
	};

	return RUN(argc, argv, tests);
}
