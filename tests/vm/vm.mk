# SPDX-License-Identifier: MIT
# The VM: its kernels, its init, and the tests that run in it.

VM_CFLAGS := -O2 -static -D_GNU_SOURCE $(WARN) $(WERROR)

# What only the matrix runs, beside what check does: more kernels, and the ways 6.12 preempts.
VM_KERNELS := 6.1 6.12 6.1-rt 6.12-rt debug kcsan
VM_PREEMPT := none voluntary full

.PHONY: vm check-vm check-harness check-matrix kernels

vm: $(B)/kmod/$(KERNEL)/fiber.ko user	## boot a VM and run CMD='…', or a shell (KERNEL= SMP=)
	$(Q)tests/vm/run -k $(KERNEL) $(if $(SMP),-s $(SMP)) $$(test -t 0 && echo -i) $${CMD:+-- "$$CMD"}

kernels:		## get all kernels that the VM boots, and build debug and kcsan
	$(Q)tests/vm/kernel $(VM_KERNELS)

check-vm: $(B)/kmod/$(KERNEL)/fiber.ko user self	## run the self tests in a VM (KERNEL=)
	$(Q)tests/vm/check self $(KERNEL)

check-harness:	## check that the VM harness notices failures
	$(Q)tests/vm/selfcheck

# Goes on after a failure; the sum fails then.
check-matrix: $(VM_KERNELS:%=$(B)/kmod/%/fiber.ko) user self	## the self tests on every kernel
	-$(Q)for k in $(VM_KERNELS); do tests/vm/check self $$k; done
	-$(Q)for p in $(VM_PREEMPT); do tests/vm/check -l $$p self 6.12 -a preempt=$$p; done
	$(Q)tests/summary $(B)/check $(VM_KERNELS:%=self-%) $(VM_PREEMPT:%=self-6.12-%)

$(CACHE)/kernels/%/release:
	$(Q)tests/vm/kernel $*

# These change with their configuration, and all modules for them with them.
$(CACHE)/kernels/debug/release $(CACHE)/kernels/kcsan/release: \
$(CACHE)/kernels/%/release: tests/vm/small.config tests/vm/%.config
	$(Q)tests/vm/kernel $*
	$(Q)touch $@

$(B)/vm/tsc: tests/vm/tsc.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VM_CFLAGS) -o $@ $<

$(B)/vm/init $(B)/vm/runtests: $(B)/vm/%: tests/vm/%.c tests/vm/guest.c tests/vm/guest.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VM_CFLAGS) -o $@ $(filter %.c,$^)
