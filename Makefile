# SPDX-License-Identifier: MIT
# People's door. `make help` lists what it can do; Kbuild is kbuild's door.

B := build
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/fiber
PREFIX ?= /usr/local
DESTDIR ?=
KERNEL ?= 6.12
V ?= 0
VERSION := 0.1.0

CC ?= cc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wdeclaration-after-statement
WERROR := $(if $(CI),-Werror)

# Quiet two-column output; V=1 shows the commands.
Q := $(if $(filter 1,$(V)),,@)
say = @printf '  %-8s %s\n' '$(1)' '$(2)'

export CACHE V

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

include $(sort $(wildcard kmod/*.mk user/*.mk tests/*/*.mk))

.PHONY: all help deps demo check check-matrix install clean

all: kmod user		## build the module, the library and the tool

help:			## print this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## */\1\t/p' $(MAKEFILE_LIST) | \
		awk -F '\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'

deps:			## install what building and testing need (Debian)
	$(Q)tests/vm/deps all

demo:			## boot a VM and show the tool on real programs
	$(Q)tests/vm/deps demo
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/vm/demo $(KERNEL)

# Suites go on after a failure; the sum says what failed. A suite that left no
# results has failed.
SUITES := lint unit stress vm self-6.1 self-6.12 self-debug
check:			## run every test; ends with a line that counts them
	$(Q)tests/vm/deps check
	$(Q)rm -rf $(B)/check
	-$(Q)$(MAKE) --no-print-directory -k check-lint check-unit check-harness
	-$(Q)$(MAKE) --no-print-directory check-stress SECONDS=20
	-$(Q)$(MAKE) --no-print-directory check-vm KERNEL=6.1
	-$(Q)$(MAKE) --no-print-directory check-vm KERNEL=6.12
	-$(Q)$(MAKE) --no-print-directory check-vm KERNEL=debug
	$(Q)tests/summary $(B)/check $(SUITES)

clean:			## remove what was built; downloads and kernels stay
	rm -rf $(B)
