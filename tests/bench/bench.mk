# SPDX-License-Identifier: MIT
# Measurements. They print numbers and never fail for one.

BENCH_HELPERS := tests/self/child.c tests/self/module.c
BENCH_CFLAGS := -O2 -g -D_GNU_SOURCE $(WARN) -Ikmod/uapi -Itests/self

.PHONY: bench-stats
bench-stats: $(B)/bench/stats $(B)/kmod/$(KERNEL)/fiber.ko	## what reading and counting cost, in instructions (TSV=)
	$(Q)tests/bench/stats-report $(KERNEL) $(TSV)

$(B)/bench/stats: tests/bench/stats.c tests/bench/genl.c tests/bench/genl.h $(BENCH_HELPERS)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BENCH_CFLAGS) $(WERROR) $(CFLAGS) -o $@ $(filter %.c,$^) -lpthread
