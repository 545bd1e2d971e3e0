# SPDX-License-Identifier: MIT
# What can be judged without running: doors, sizes, formats, the protocol's
# specification against its header, and what a second compiler and static
# analysis say. Each is a script that can be called by hand.

.PHONY: lint check-lint
lint: check-lint	## judge the sources: doors, sizes, style, spec, sparse

check-lint: | $(CACHE)/kernels/6.1/release $(CACHE)/kernels/6.12/release
	$(Q)V=$(V) tests/lint/run $(B)/check/lint.ktap \
		rooms=tests/lint/rooms \
		sizes=tests/lint/sizes \
		format=tests/lint/format \
		'spec=tests/lint/spec kmod/uapi/fiber.yaml $(CC)' \
		'sparse=tests/lint/sparse $(CACHE)/kernels/6.12/build $(B)/lint/sparse' \
		'mandoc=rm -rf $(B)/lint/man && user/man/build $(B)/lint/man && mandoc -T lint -W warning $(B)/lint/man/*/*' \
		man=tests/lint/man \
		'man-code=CC=$(CC) tests/lint/man-code' \
		'clang=$(MAKE) -s B=$(B)/lint/clang CC=clang WERROR=-Werror user' \
		'gcc=$(MAKE) -s B=$(B)/lint/gcc CC=gcc WERROR=-Werror user' \
		'abi=tests/lint/abi $(B)/lint/gcc/lib/libfiber.so.0'
	$(Q)tests/lint/sizes
