# SPDX-License-Identifier: MIT
# libfiber, the runtime. It links libc only.

LIB_ARCH := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
# Landing pads for indirect jumps are kept; shadow stacks are not switched, so
# no object may say that they are (arch/switch.h).
LIB_CFLAGS_x86_64 := -fcf-protection=branch
LIB_CFLAGS_aarch64 := -mbranch-protection=standard
# Frame pointers: profilers that cannot read unwind tables follow them through
# the library.
LIB_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden \
	-fno-omit-frame-pointer $(LIB_CFLAGS_$(LIB_ARCH)) -pthread -Iuser/lib

LIB_SRC := $(wildcard user/lib/*.c user/lib/arch/$(LIB_ARCH)/*.S)
LIB_OBJ := $(addsuffix .o,$(basename $(LIB_SRC:%=$(B)/%)))

user: $(B)/lib/libfiber.a

$(B)/user/lib/%.o: user/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARN) $(WERROR) $(CPPFLAGS) $(LIB_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(B)/user/lib/%.o: user/lib/%.S
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(LIB_CFLAGS) -c -o $@ $<

$(B)/lib/libfiber.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

-include $(LIB_OBJ:.o=.d)
