# SPDX-License-Identifier: MIT
# The VM: its kernels, its init, and the tests that run in it.

VM_CFLAGS := -O2 -static -D_GNU_SOURCE $(WARN) $(WERROR)

.PHONY: vm check-vm check-harness check-matrix kernels

vm: $(B)/kmod/$(KERNEL)/fiber.ko user	## boot a VM and run CMD='…', or a shell (KERNEL= SMP=)
	$(Q)tests/vm/run -k $(KERNEL) $(if $(SMP),-s $(SMP)) -i $(if $(CMD),-- '$(CMD)')

kernels:		## get all kernels that the VM boots, and build debug and kcsan
	$(Q)tests/vm/kernel 6.1 6.12 6.1-rt 6.12-rt debug kcsan

$(CACHE)/kernels/%/release:
	$(Q)tests/vm/kernel $*

$(B)/vm/init $(B)/vm/runtests: $(B)/vm/%: tests/vm/%.c tests/vm/guest.c tests/vm/guest.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VM_CFLAGS) -o $@ $(filter %.c,$^)
