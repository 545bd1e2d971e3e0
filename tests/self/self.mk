# SPDX-License-Identifier: MIT
# The tests of the module, built as kselftest builds them, for the VM to run.

SELF_LINUX := $(CACHE)/linux-source-6.12

.PHONY: self
self: | $(SELF_LINUX)/.version	## build the tests of the module
	$(Q)mkdir -p $(B)/self/data
	$(Q)$(MAKE) -s --no-print-directory -C tests/self OUTPUT=$(abspath $(B))/self \
		KSELFTEST=$(SELF_LINUX)/tools/testing/selftests USERCFLAGS='$(WERROR)'
	$(Q)cp -u $(wildcard tests/self/settings tests/self/*.py tests/self/*.sh) $(B)/self
	$(Q)cp -u kmod/uapi/fiber.yaml $(B)/self/data

$(SELF_LINUX)/.version:
	$(Q)tests/vm/kernel source
