# SPDX-License-Identifier: MIT
# libfibernl and fiberctl.

# pkg-config is asked in the recipes: an earlier step of the same make may have
# installed what it is asked about.
NL_PKGS := libnl-3.0 libnl-genl-3.0 libkmod
CTL_PKGS := json-c ncursesw
USER_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DFIBER_VERSION='"$(VERSION)"' \
	-fPIC -fvisibility=hidden -Iuser/include -Ikmod/uapi
NL_SONAME := libfibernl.so.0

NL_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard user/nl/*.c))
CTL_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard user/ctl/*.c))

.PHONY: user
user: $(B)/bin/fiberctl $(B)/lib/libfibernl.a $(B)/lib/libfibernl.so	## build libfibernl and fiberctl

$(B)/user/nl/%.o: user/nl/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARN) $(WERROR) $(CPPFLAGS) $(USER_CFLAGS) \
		$$(pkg-config --cflags $(NL_PKGS)) -MMD -MP -c -o $@ $<

$(B)/user/ctl/%.o: user/ctl/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARN) $(WERROR) $(CPPFLAGS) $(USER_CFLAGS) \
		$$(pkg-config --cflags $(CTL_PKGS)) -MMD -MP -c -o $@ $<

$(B)/lib/libfibernl.a: $(NL_OBJ)
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/lib/$(NL_SONAME): $(NL_OBJ) user/nl/libfibernl.map
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(NL_SONAME) \
		-Wl,--version-script=user/nl/libfibernl.map -Wl,-z,defs \
		-Wl,-Bsymbolic -o $@ $(NL_OBJ) $$(pkg-config --libs $(NL_PKGS))

$(B)/lib/libfibernl.so: $(B)/lib/$(NL_SONAME)
	$(Q)ln -sf $(NL_SONAME) $@

# With the library inside: it runs from the build directory and in the VM.
$(B)/bin/fiberctl: $(CTL_OBJ) $(B)/lib/libfibernl.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-z,defs -o $@ $^ \
		$$(pkg-config --libs $(NL_PKGS) $(CTL_PKGS)) -lm

# The module goes along when it was built for a kernel of the host, by
# `make kmod KDIR=`.
.PHONY: install
INSTALL_ROOT = $(DESTDIR)$(PREFIX)
install: user		## install tool, library, man pages, and the module if built; DESTDIR= PREFIX=
	$(Q)install -d $(INSTALL_ROOT)/sbin $(INSTALL_ROOT)/lib/pkgconfig \
		$(INSTALL_ROOT)/include/fiber $(INSTALL_ROOT)/include/linux \
		$(INSTALL_ROOT)/share/bash-completion/completions
	$(Q)install $(B)/bin/fiberctl $(INSTALL_ROOT)/sbin
	$(Q)install -m 644 $(B)/lib/libfibernl.a $(INSTALL_ROOT)/lib
	$(Q)install $(B)/lib/$(NL_SONAME) $(INSTALL_ROOT)/lib
	$(Q)ln -sf $(NL_SONAME) $(INSTALL_ROOT)/lib/libfibernl.so
	$(Q)install -m 644 user/include/fiber/nl.h $(INSTALL_ROOT)/include/fiber
	$(Q)install -m 644 kmod/uapi/linux/*.h $(INSTALL_ROOT)/include/linux
	$(Q)install -m 644 user/ctl/completion/fiberctl.bash \
		$(INSTALL_ROOT)/share/bash-completion/completions/fiberctl
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
		user/pkg/libfibernl.pc.in \
		>$(INSTALL_ROOT)/lib/pkgconfig/libfibernl.pc
	$(Q)chmod 644 $(INSTALL_ROOT)/lib/pkgconfig/libfibernl.pc
	$(Q)[ ! -e $(B)/kmod/host/fiber.ko ] || \
		user/pkg/install-module $(B)/kmod/host/fiber.ko "$(DESTDIR)"

-include $(NL_OBJ:.o=.d) $(CTL_OBJ:.o=.d)
