# SPDX-License-Identifier: MIT
# The explorer: the library's own files, compiled with its atomic variables, and
# small programs that run them under many schedules; as they are and with the
# sanitizers. explore_mutants has the files with a mistake in each, which must be
# found.

EXPLORE_TESTS := $(patsubst tests/unit/explore/%.c,%,\
	$(wildcard tests/unit/explore/explore_*.c))
# Those that have the library's own scheduler, and what that takes.
EXPLORE_WORKER_TESTS := explore_life explore_scope explore_seat \
	explore_worker
EXPLORE_THREAD_TESTS := $(filter-out $(EXPLORE_WORKER_TESTS),$(EXPLORE_TESTS))
EXPLORE_PROGRAMS := $(EXPLORE_TESTS:%=$(B)/unit/explore/%) \
	$(EXPLORE_TESTS:%=$(B)/unit/asan/explore/%) \
	$(B)/unit/explore/explore_mutants
EXPLORE_COMMON := explore buffer past report env ledger grave
EXPLORE_LIB := alarm alone barrier block box bucket cancel chan cond deadline \
	event extra lock mutex once park rwlock select sem sized slab timer \
	waitgroup base
EXPLORE_SCHED := apart blocking control fiber idle life monitor queue relief \
	sched schedtrace scope seat stacks why
# Small queues, so that they are full, and wrap around; one bucket, small batches
# and little patience, so that what is rare elsewhere is not.
EXPLORE_DEFINES := -DFIBER_EXPLORE -DFIBER_RING_SIZE=4u -DFIBER_DEQUE_SIZE=4u \
	-DFIBER_BUCKETS=1u -DFIBER_CLAIM_BATCH=1u -DFIBER_STARVED_NS=8
EXPLORE_CFLAGS = $(LIB_TEST_CFLAGS) -iquote tests/unit/explore \
	$(EXPLORE_DEFINES) $(WARN) $(WERROR) -MMD -MP

EXPLORE_OBJ := $(EXPLORE_COMMON:%=explore/%.o) $(EXPLORE_LIB:%=explore/user/%.o)
EXPLORE_THREAD_OBJ := $(EXPLORE_OBJ) explore/threads.o
EXPLORE_WORKER_OBJ := $(EXPLORE_OBJ) explore/workers.o \
	$(EXPLORE_SCHED:%=explore/user/%.o)

$(B)/unit/explore/%.o: tests/unit/explore/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(EXPLORE_CFLAGS) -c -o $@ $<

$(B)/unit/explore/user/%.o: user/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(EXPLORE_CFLAGS) -c -o $@ $<

$(B)/unit/asan/explore/%.o: tests/unit/explore/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) $(EXPLORE_CFLAGS) -c -o $@ $<

$(B)/unit/asan/explore/user/%.o: user/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) $(EXPLORE_CFLAGS) -c -o $@ $<

# All that there is of the library that is no C.
$(B)/unit/explore/start.o: $(wildcard user/lib/arch/*/start.S)
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CFLAGS) -c -o $@ user/lib/arch/$(LIB_ARCH)/start.S

$(EXPLORE_THREAD_TESTS:%=$(B)/unit/explore/%): $(EXPLORE_THREAD_OBJ:%=$(B)/unit/%)
$(EXPLORE_WORKER_TESTS:%=$(B)/unit/explore/%): $(EXPLORE_WORKER_OBJ:%=$(B)/unit/%)
$(EXPLORE_TESTS:%=$(B)/unit/explore/%): $(B)/unit/explore/%: \
	$(B)/unit/explore/%.o $(B)/unit/lib/harness.o $(B)/unit/lib/coro.o \
	$(B)/unit/explore/start.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(EXPLORE_THREAD_TESTS:%=$(B)/unit/asan/explore/%): \
	$(EXPLORE_THREAD_OBJ:%=$(B)/unit/asan/%)
$(EXPLORE_WORKER_TESTS:%=$(B)/unit/asan/explore/%): \
	$(EXPLORE_WORKER_OBJ:%=$(B)/unit/asan/%)
$(EXPLORE_TESTS:%=$(B)/unit/asan/explore/%): $(B)/unit/asan/explore/%: \
	$(B)/unit/asan/explore/%.o $(B)/unit/asan/lib/harness.o \
	$(B)/unit/asan/lib/coro.o $(B)/unit/explore/start.o
	$(call say,LD,$@)
	$(Q)$(CC) $(ASAN) $(LDFLAGS) -o $@ $^

# One program a mutant, with a mistake in it; a stamp, as there may be none.
EXPLORE_MUTANTS := $(shell tests/unit/explore/mutants list)
EXPLORE_MUTANT_DIR := $(B)/unit/explore/mutants
mutant_name = $(firstword $(subst :, ,$(1)))
mutant_test = explore_$(lastword $(subst :, ,$(1)))
EXPLORE_TEST_COMMON := $(B)/unit/lib/harness.o $(B)/unit/lib/coro.o \
	$(B)/unit/explore/start.o

define mutant_rule
$(EXPLORE_MUTANT_DIR)/$(call mutant_name,$(1)).made: \
	$(if $(filter $(call mutant_test,$(1)),$(EXPLORE_WORKER_TESTS)),\
		$(EXPLORE_WORKER_OBJ:%=$(B)/unit/%),\
		$(EXPLORE_THREAD_OBJ:%=$(B)/unit/%)) \
	$(B)/unit/explore/$(call mutant_test,$(1)).o $(EXPLORE_TEST_COMMON) \
	| $(EXPLORE_MUTANT_DIR)
endef

$(EXPLORE_MUTANT_DIR):
	$(Q)mkdir -p $@

$(foreach m,$(EXPLORE_MUTANTS),$(eval $(call mutant_rule,$(m))))
EXPLORE_MADE := $(foreach m,$(EXPLORE_MUTANTS),\
	$(EXPLORE_MUTANT_DIR)/$(call mutant_name,$(m)).made)
$(EXPLORE_MADE): tests/unit/explore/mutants $(wildcard user/lib/*.[ch])
	$(call say,MUTANT,$@)
	$(Q)CC="$(CC)" CFLAGS="-O1 -w $(filter-out -MMD -MP -W%,$(EXPLORE_CFLAGS))" \
		tests/unit/explore/mutants build $(basename $(@F)) \
		$(basename $@) $(filter %.o,$^)
	$(Q)touch $@

$(B)/unit/explore/explore_mutants: $(EXPLORE_MADE)
	$(Q)printf '#!/bin/sh\nexec %s run %s\n' tests/unit/explore/mutants \
		$(EXPLORE_MUTANT_DIR) >$@
	$(Q)chmod +x $@

# They are run with those of the library.
check-unit: LIB_TEST_PROGRAMS += $(EXPLORE_PROGRAMS)
check-unit: $(EXPLORE_PROGRAMS)

-include $(wildcard $(B)/unit/explore/*.d $(B)/unit/explore/user/*.d \
	$(B)/unit/asan/explore/*.d $(B)/unit/asan/explore/user/*.d)
