# SPDX-License-Identifier: MIT
# The manual. What is in it is in user/man; user/man/build says how it is made.

# The folder too: it changes when a page is taken away.
MAN_SRC := user/man $(wildcard user/man/*) $(wildcard user/examples/*.c)

user: $(B)/man/built

$(B)/man/built: $(MAN_SRC)
	$(call say,MAN,$(@D))
	$(Q)user/man/build $(@D)
	$(Q)touch $@

.PHONY: install-man
install: install-man
install-man: $(B)/man/built
	$(Q)for dir in $(B)/man/man*; do \
		to=$(INSTALL_ROOT)/share/man/$${dir##*/}; \
		install -d $$to && \
		find $$dir -type f -exec install -m 644 -t $$to {} + && \
		find $$dir -type l -exec cp -P -t $$to {} + || exit; \
	done
