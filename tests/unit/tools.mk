# SPDX-License-Identifier: MIT
# The unit tests of libfiber in other ways than lib.mk's: with the thread sanitizer,
# for another architecture, under Valgrind. tests/unit/run knows how each is run,
# by its folder.

# The other compiler, so that both are seen to; and its runtime takes 7 us to make
# a fiber where that of gcc 12 takes 2 ms with some thousand of them.
TSAN_CC ?= clang
TSAN := -fsanitize=thread -O1 -g
# Left out: those that limit memory or address space, of which the sanitizer takes
# much (fiber_starved, harsh_fault), that count mappings (stack_limits), that count
# what wakes threads, of which one is the sanitizer's (sched_idle), or what they
# compute (sched_spin), that wait for a signal without a system call, up to which it
# is put off (run_signals), that stand in for system calls which the sanitizer makes
# itself before main() (harsh_syscalls, harsh_alloc), that end a thread from another
# stack than its own, which the sanitizer asserts not to happen (run_thread_exit), and
# what there is no other thread in: registers, unwinding, guards, probes.
TSAN_TESTS := $(filter-out fiber_starved harsh_fault stack_limits sched_idle \
	sched_spin run_signals harsh_syscalls harsh_alloc run_thread_exit \
	switch_% fiber_unwind probe_stop stack_guard \
	stack_overflow_report stack_census,$(LIB_TESTS)) tsan_contexts
TSAN_PROGRAMS := $(TSAN_TESTS:%=$(B)/unit/tsan/lib/%)
TSAN_OBJ := $(patsubst %.c,$(B)/unit/tsan/%.o,$(wildcard user/lib/*.c))

$(B)/unit/tsan/lib/%.o: tests/unit/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(TSAN_CC) $(TSAN) $(WARN) $(WERROR) $(LIB_TEST_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(B)/unit/tsan/user/lib/%.o: user/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(TSAN_CC) $(TSAN) $(WARN) $(WERROR) $(LIB_TEST_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(TSAN_PROGRAMS): $(B)/unit/tsan/lib/%: \
	$(B)/unit/tsan/lib/%.o $(LIB_TEST_COMMON:%=$(B)/unit/tsan/lib/%.o) \
	$(TSAN_OBJ) $(B)/lib/libfiber.a
	$(call say,LD,$@)
	$(Q)$(TSAN_CC) $(TSAN) $(LDFLAGS) -pthread -o $@ $^ -lm

# For aarch64, under the emulation of a process; static, as there is no other C
# library of that architecture here. Left out: what needs a debugger or a profiler
# (switch_unwind but for what arch_test runs of it, fiber_unwind, probe_stop) or
# userfaultfd (harsh_fault); guards, as the emulator says yes to MADV_GUARD_INSTALL
# and does nothing (stack_guard, stack_limits, stack_overflow_report,
# fiber_stack_overflow, many_stacks), and huge pages (stack_pool, fiber_stack_nohuge);
# what limits or counts memory, threads, wake-ups or time, of which some are the
# emulator's (fiber_starved, harsh_alloc, run_result, sched_idle, sched_spin); and
# threads that are stopped by signals at any instruction, and fork() with threads, at
# which it fails assertions of its own (harsh_stall, harsh_syscalls, run_fork,
# deadlock_partial).
AARCH64_CC ?= aarch64-linux-gnu-gcc
AARCH64_LEFT_OUT := switch_unwind fiber_unwind probe_stop harsh_fault stack_guard \
	stack_limits stack_overflow_report fiber_stack_overflow many_stacks \
	stack_pool fiber_stack_nohuge fiber_starved harsh_alloc run_result \
	sched_idle sched_spin harsh_stall harsh_syscalls run_fork \
	deadlock_partial
AARCH64_TESTS := $(filter-out $(AARCH64_LEFT_OUT),$(LIB_TESTS))
AARCH64_PROGRAMS := $(if $(shell command -v $(AARCH64_CC)),\
	$(AARCH64_TESTS:%=$(B)/unit/aarch64/lib/%))
AARCH64_UNWIND := $(if $(AARCH64_PROGRAMS),$(B)/unit/aarch64/lib/switch_unwind)
AARCH64_OBJ := $(patsubst %.c,$(B)/unit/aarch64/%.o,$(wildcard user/lib/*.c)) \
	$(B)/unit/aarch64/start.o
AARCH64_CFLAGS = -O2 -g -DTEST_SLOWER=20 $(LIB_CFLAGS_aarch64) \
	$(filter-out $(LIB_CFLAGS_$(LIB_ARCH)),$(LIB_TEST_CFLAGS))

$(B)/unit/aarch64/lib/%.o: tests/unit/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(AARCH64_CC) $(WARN) $(WERROR) $(AARCH64_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/unit/aarch64/user/lib/%.o: user/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(AARCH64_CC) $(WARN) $(WERROR) $(AARCH64_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/unit/aarch64/start.o: user/lib/arch/aarch64/start.S
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(AARCH64_CC) $(AARCH64_CFLAGS) -c -o $@ $<

$(AARCH64_PROGRAMS) $(AARCH64_UNWIND): $(B)/unit/aarch64/lib/%: \
	$(B)/unit/aarch64/lib/%.o $(LIB_TEST_COMMON:%=$(B)/unit/aarch64/lib/%.o) \
	$(AARCH64_OBJ)
	$(call say,LD,$@)
	$(Q)$(AARCH64_CC) $(LDFLAGS) -static -pthread -o $@ $^ -lm

# Under Valgrind, which makes threads take turns and all of it some 50 times slower:
# the library as it is shipped, and of the tests one of each part of it, those that
# are quick there.
VALGRIND_TESTS := cancel_race chan_blocking chan_close chan_len fiber_attr \
	fiber_exit fiber_key fiber_many fiber_stack_lazy run_config select_self \
	stack_pool switch_roundtrip timer_once
VALGRIND_PROGRAMS := $(VALGRIND_TESTS:%=$(B)/unit/valgrind/lib/%)

# What draws at random, prints its seed (FIBER_TEST_SEED), and fails when nothing goes
# on any more: for SECONDS under each sanitizer, of which asan is two, and under
# Valgrind, shared by the programs. No signals at any instruction under Valgrind, which
# delivers them when it likes (harsh_stall).
SECONDS ?= 600
STRESS_TESTS := sched_stress select_stress harsh_linear harsh_oversubscribed \
	harsh_stall rwlock_stress scope_stress
STRESS_VALGRIND := $(filter-out harsh_stall,$(STRESS_TESTS))
STRESS_PROGRAMS := $(STRESS_TESTS:%=$(B)/unit/asan/lib/%) \
	$(STRESS_TESTS:%=$(B)/unit/tsan/lib/%) \
	$(STRESS_VALGRIND:%=$(B)/unit/valgrind/lib/%)

$(B)/unit/valgrind/lib/%.o: tests/unit/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARN) $(WERROR) -DTEST_SLOWER=50 $(LIB_TEST_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(VALGRIND_PROGRAMS) $(STRESS_VALGRIND:%=$(B)/unit/valgrind/lib/%): $(B)/unit/valgrind/lib/%: \
	$(B)/unit/valgrind/lib/%.o $(LIB_TEST_COMMON:%=$(B)/unit/valgrind/lib/%.o) \
	$(B)/lib/libfiber.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lm

.PHONY: check-stress
check-stress: $(STRESS_PROGRAMS)	## stress under the sanitizers and Valgrind, SECONDS=600 each
	$(Q)STRESS_SECONDS=$$((($(SECONDS) + 4) / $(words $(STRESS_TESTS)))) \
		tests/unit/run $(B)/check/stress.ktap $(STRESS_PROGRAMS)

# They are run with those of the library.
TOOLS_PROGRAMS := $(TSAN_PROGRAMS) $(AARCH64_PROGRAMS) $(VALGRIND_PROGRAMS)
check-unit: export AARCH64_PROGRAM := $(AARCH64_UNWIND)
check-unit: LIB_TEST_PROGRAMS += $(TOOLS_PROGRAMS)
check-unit: $(TOOLS_PROGRAMS) $(AARCH64_UNWIND)

-include $(wildcard $(B)/unit/tsan/lib/*.d $(B)/unit/tsan/user/lib/*.d \
	$(B)/unit/aarch64/lib/*.d $(B)/unit/aarch64/user/lib/*.d \
	$(B)/unit/valgrind/lib/*.d)

.PHONY: build-tools
build-tools: $(TOOLS_PROGRAMS) $(AARCH64_UNWIND)
