# SPDX-License-Identifier: MIT
# libfiber, the runtime. It links libc only.

LIB_ARCH := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
# Landing pads for indirect jumps are kept; shadow stacks are not switched, so
# no object may say that they are (arch/switch.h).
LIB_CFLAGS_x86_64 := -fcf-protection=branch
LIB_CFLAGS_aarch64 := -mbranch-protection=standard
# Frame pointers: profilers that cannot read unwind tables follow them through
# the library. What is vectorized are pairs of pointers: it makes them slower.
LIB_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden \
	-fno-omit-frame-pointer -momit-leaf-frame-pointer \
	-fno-tree-slp-vectorize $(LIB_CFLAGS_$(LIB_ARCH)) -pthread \
	-fno-lto -iquote user/lib -Iuser/include

LIB_SRC := $(wildcard user/lib/*.c user/lib/arch/$(LIB_ARCH)/*.S)
LIB_OBJ := $(addsuffix .o,$(basename $(LIB_SRC:%=$(B)/%)))
LIB_SONAME := libfiber.so.0
LIB_HEADERS := $(filter-out %/nl.h,$(wildcard user/include/fiber/*.h))

user: $(B)/lib/libfiber.a $(B)/lib/libfiber.so

# Inlines the picking of a fiber into each place that switches: 7.4 ns a yield
# instead of 8.4.
LIB_OPT ?= -O3

$(B)/user/lib/%.o: user/lib/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LIB_OPT) $(WARN) $(WERROR) $(CPPFLAGS) $(LIB_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(B)/user/lib/%.o: user/lib/%.S
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(LIB_CFLAGS) -c -o $@ $<

$(B)/lib/libfiber.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# It stays when a plugin that uses it is closed: threads that waited in it have a
# destructor there.
$(B)/lib/$(LIB_SONAME): $(LIB_OBJ) user/lib/libfiber.map
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fno-lto -shared -pthread \
		-Wl,-soname,$(LIB_SONAME) -Wl,-z,defs -Wl,-z,nodelete -Wl,-Bsymbolic \
		-Wl,--version-script=user/lib/libfiber.map -o $@ $(LIB_OBJ)

$(B)/lib/libfiber.so: $(B)/lib/$(LIB_SONAME)
	$(Q)ln -sf $(LIB_SONAME) $@

.PHONY: install-lib
install: install-lib
install-lib: user
	$(Q)install -d $(INSTALL_ROOT)/lib/pkgconfig $(INSTALL_ROOT)/include/fiber
	$(Q)install -m 644 $(B)/lib/libfiber.a $(INSTALL_ROOT)/lib
	$(Q)install $(B)/lib/$(LIB_SONAME) $(INSTALL_ROOT)/lib
	$(Q)ln -sf $(LIB_SONAME) $(INSTALL_ROOT)/lib/libfiber.so
	$(Q)install -m 644 user/include/fiber.h $(INSTALL_ROOT)/include
	$(Q)install -m 644 $(LIB_HEADERS) $(INSTALL_ROOT)/include/fiber
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
		user/pkg/libfiber.pc.in >$(INSTALL_ROOT)/lib/pkgconfig/libfiber.pc
	$(Q)chmod 644 $(INSTALL_ROOT)/lib/pkgconfig/libfiber.pc

-include $(LIB_OBJ:.o=.d)
