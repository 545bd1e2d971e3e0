# SPDX-License-Identifier: MIT
# The module, built in a copy of its sources, one copy a kernel: kbuild
# writes beside the sources, and one tree cannot hold the objects of two.

KMOD_SRC := Kbuild kmod/Kbuild $(wildcard kmod/*.c kmod/*.h kmod/uapi/linux/*.h)
KMOD_ARGS := $(if $(filter 1,$(V)),,-s) $(if $(CI),KCFLAGS=-Werror)

.PHONY: kmod
kmod: $(B)/kmod/$(if $(KDIR),host,$(KERNEL))/fiber.ko	## build the module; KDIR= or KERNEL=

# $(call build-kmod,KDIR): build in the copy beside the target. Debian's kernel
# headers carry a vmlinux, and without pahole its BTF cannot be had.
define build-kmod
	$(call say,KMOD,$@)
	$(Q)mkdir -p $(@D)/tree/kmod/uapi/linux
	$(Q)for f in $(KMOD_SRC); do cmp -s $$f $(@D)/tree/$$f || \
		cp $$f $(@D)/tree/$$f || exit 1; done
	$(Q)$(MAKE) $(KMOD_ARGS) -C $(1) M=$(abspath $(@D))/tree \
		FIBER_VERSION=$(VERSION) \
		$(if $(shell command -v pahole),,CONFIG_DEBUG_INFO_BTF_MODULES=) modules
	$(Q)cp $(@D)/tree/kmod/fiber.ko $@
endef

$(B)/kmod/host/fiber.ko: $(KMOD_SRC)
	$(call build-kmod,$(KDIR))

$(B)/kmod/%/fiber.ko: $(KMOD_SRC) $(CACHE)/kernels/%/release
	$(call build-kmod,$(CACHE)/kernels/$*/build)
