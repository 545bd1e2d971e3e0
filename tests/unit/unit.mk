# SPDX-License-Identifier: MIT
# Unit tests: every *_test.c is a program, built twice: as it is shipped, and
# with the address and undefined-behaviour sanitizers.

UNIT_SRC := $(wildcard user/nl/*.c) $(filter-out user/ctl/main.c,$(wildcard user/ctl/*.c))
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*_test.c))
UNIT_PROGRAMS := $(UNIT_TESTS:%=$(B)/unit/%) $(UNIT_TESTS:%=$(B)/unit/asan/%)
UNIT_CFLAGS := -Iuser/nl -Iuser/ctl -Itests/unit
# Not :=, since user.mk, which defines these, may come later.
UNIT_LIBS = $(NL_PKGS) $(CTL_PKGS) cmocka
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -O1 -g

ASAN_OBJ := $(UNIT_SRC:%.c=$(B)/unit/asan/%.o)
PLAIN_OBJ := $(UNIT_SRC:%.c=$(B)/%.o)

$(B)/unit/asan/%.o: %.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN) $(WARN) $(WERROR) $(USER_CFLAGS) $(UNIT_CFLAGS) \
		$$(pkg-config --cflags $(UNIT_LIBS)) -MMD -MP -c -o $@ $<

$(B)/unit/%.o: tests/unit/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARN) $(WERROR) $(USER_CFLAGS) $(UNIT_CFLAGS) \
		$$(pkg-config --cflags $(UNIT_LIBS)) -MMD -MP -c -o $@ $<

$(UNIT_TESTS:%=$(B)/unit/%): $(B)/unit/%: $(B)/unit/%.o $(PLAIN_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ \
		$$(pkg-config --libs $(UNIT_LIBS)) -lm

$(UNIT_TESTS:%=$(B)/unit/asan/%): $(B)/unit/asan/%: $(B)/unit/asan/tests/unit/%.o $(ASAN_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(ASAN) $(LDFLAGS) -o $@ $^ \
		$$(pkg-config --libs $(UNIT_LIBS)) -lm

$(B)/unit/asan/fiberctl: $(B)/unit/asan/user/ctl/main.o $(ASAN_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(ASAN) $(LDFLAGS) -o $@ $^ \
		$$(pkg-config --libs $(UNIT_LIBS)) -lm

# A kernel made of a script.
$(B)/unit/sock_test $(B)/unit/asan/sock_test: \
	private LDFLAGS += -Wl,--wrap=send,--wrap=recvmsg,--wrap=poll

# The sanitizers' cli_test drives the sanitizers' fiberctl.
.PHONY: check-unit
check-unit: $(LIB_TEST_PROGRAMS) user
check-unit: $(UNIT_PROGRAMS) $(B)/bin/fiberctl $(B)/unit/asan/fiberctl	## run the unit tests
	$(Q)CC="$(CC)" FIBERCTL=$(B)/bin/fiberctl LIBFIBER=$(B)/lib/libfiber.a \
		LIBDIR=$(B)/lib EXAMPLES=$(B)/examples \
		tests/unit/run $(B)/check/unit.ktap tests/unit/header_test \
		tests/unit/arch_test tests/unit/link_test \
		tests/unit/install_test tests/unit/example_test \
		tests/unit/probe_test $(UNIT_PROGRAMS) $(LIB_TEST_PROGRAMS)

-include $(wildcard $(B)/unit/*.d $(B)/unit/asan/*/*/*.d)
