# SPDX-License-Identifier: MIT
# Unit tests of libfiber: one behaviour a program in lib/, built as it is shipped
# and with the sanitizers, like the others; what all of them share is in
# LIB_TEST_COMMON. What else they are run under is in tools.mk.

LIB_TEST_COMMON := harness coro arena gdb fibers runtime harsh harsh_traffic \
	deadlocks
LIB_TESTS := $(filter-out $(LIB_TEST_COMMON) tsan_contexts,$(patsubst \
	tests/unit/lib/%.c,%,$(wildcard tests/unit/lib/*.c)))
LIB_TEST_PROGRAMS := $(LIB_TESTS:%=$(B)/unit/lib/%) \
	$(LIB_TESTS:%=$(B)/unit/asan/lib/%)
# Not :=, since lib.mk of user/, which defines LIB_CFLAGS, comes later.
LIB_TEST_CFLAGS = $(LIB_CFLAGS) -iquote tests/unit/lib
LIB_ASAN_OBJ := $(patsubst %.c,$(B)/unit/asan/%.o,$(wildcard user/lib/*.c))

$(B)/unit/lib/%.o: tests/unit/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARN) $(WERROR) $(LIB_TEST_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(B)/unit/asan/lib/%.o: tests/unit/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) $(WARN) $(WERROR) $(LIB_TEST_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(B)/unit/asan/user/lib/%.o: user/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) $(WARN) $(WERROR) $(LIB_TEST_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(LIB_TESTS:%=$(B)/unit/lib/%): $(B)/unit/lib/%: $(B)/unit/lib/%.o \
	$(LIB_TEST_COMMON:%=$(B)/unit/lib/%.o) $(B)/lib/libfiber.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lm

# What of the library is assembler comes from the archive.
$(LIB_TESTS:%=$(B)/unit/asan/lib/%): $(B)/unit/asan/lib/%: \
	$(B)/unit/asan/lib/%.o $(LIB_TEST_COMMON:%=$(B)/unit/asan/lib/%.o) \
	$(LIB_ASAN_OBJ) $(B)/lib/libfiber.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ASAN) $(LDFLAGS) -pthread -o $@ $^ -lm

# A kernel that says no, however the test is built.
LIB_KINDS := $(B)/unit $(B)/unit/asan $(B)/unit/tsan $(B)/unit/aarch64 \
	$(B)/unit/valgrind
$(LIB_KINDS:%=%/lib/stack_limits): \
	private LDFLAGS += -Wl,--wrap=mmap,--wrap=madvise,--wrap=mprotect \
	-Wl,--wrap=process_madvise,--wrap=open
$(LIB_KINDS:%=%/lib/harsh_alloc): \
	private LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
	-Wl,--wrap=aligned_alloc,--wrap=free,--wrap=mmap,--wrap=munmap
$(LIB_KINDS:%=%/lib/sync_alloc): \
	private LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
	-Wl,--wrap=aligned_alloc
$(LIB_KINDS:%=%/lib/harsh_syscalls): \
	private LDFLAGS += -Wl,--wrap=madvise,--wrap=process_madvise \
	-Wl,--wrap=mprotect,--wrap=pthread_create,--wrap=sigaltstack \
	-Wl,--wrap=prctl,--wrap=pidfd_open,--wrap=syscall
$(LIB_KINDS:%=%/lib/debug_without_libdw): private LDFLAGS += -Wl,--wrap=dlopen

-include $(wildcard $(B)/unit/lib/*.d $(B)/unit/asan/lib/*.d $(B)/unit/asan/user/lib/*.d)
