# SPDX-License-Identifier: MIT
# Small programs that use libfiber, by its public headers only.

EXAMPLES := $(patsubst user/examples/%.c,$(B)/examples/%,$(wildcard user/examples/*.c))

user: $(EXAMPLES)

$(B)/examples/%: user/examples/%.c $(B)/lib/libfiber.a $(wildcard user/include/fiber.h user/include/fiber/*.h)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARN) $(WERROR) -std=gnu11 -pthread -Iuser/include \
		-o $@ $< $(B)/lib/libfiber.a
