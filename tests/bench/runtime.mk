# SPDX-License-Identifier: MIT
# libfiber's speed beside that of Go, Boost.Fiber and POSIX threads, and beside
# what the machine can do at all. Prints numbers and never fails for one.

RT := tests/bench/runtime
RT_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE $(WARN) -pthread
RT_CXXFLAGS := -std=c++17 -O2 -g -Wall -Wextra -pthread
RT_COMMON := $(RT)/common.c $(RT)/common.h

.PHONY: bench bench-programs
bench:			## measure the runtime beside others; ROWS= RUNS= WORKERS= TSV=
	$(Q)tests/vm/deps bench || echo '  BENCH    going on with what is there'
	$(Q)$(MAKE) --no-print-directory bench-programs
	$(Q)tests/bench/runtime-report --programs $(B)/bench --rows '$(ROWS)' \
		--runs '$(RUNS)' --workers '$(WORKERS)' --tsv '$(TSV)'

bench-programs: $(addprefix $(B)/bench/,fiber floor pthread go boost)

$(B)/bench/fiber: $(wildcard $(RT)/fiber_*.c) $(RT)/fiber_bench.h $(RT_COMMON) \
	$(wildcard user/include/fiber.h user/include/fiber/*.h) \
	$(B)/lib/libfiber.a
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(RT_CFLAGS) $(WERROR) -Iuser/include -o $@ \
		$(filter %.c %.a,$^)

# Sees the library's own switch, with nothing around it.
$(B)/bench/floor: $(RT)/floor.c $(RT_COMMON) \
	$(wildcard user/lib/arch/switch.h user/lib/arch/*/switch.h) \
	$(B)/lib/libfiber.a
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(RT_CFLAGS) $(WERROR) -iquote user/lib -o $@ $(filter %.c %.a,$^)

$(B)/bench/pthread: $(RT)/pthread.c $(RT_COMMON)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(RT_CFLAGS) $(WERROR) -o $@ $(filter %.c,$^)

# Go and Boost are left out where they are not installed. Go gets no module and no
# network: the files are the whole program.
have_go = $(shell command -v go)
have_boost = $(shell echo '\#include <boost/fiber/all.hpp>' | \
	$(CXX) -E -x c++ - >/dev/null 2>&1 && echo yes)
left_out = @echo '  BENCH    no $(1) here: left out'

$(B)/bench/go: $(wildcard $(RT)/go/*.go)
	$(if $(have_go),$(call say,GO,$@),$(call left_out,Go))
	$(Q)mkdir -p $(@D)
	$(if $(have_go),$(Q)GO111MODULE=off GOPROXY=off GOFLAGS= \
		GOCACHE=$(abspath $(B))/bench/go-cache go build -o $@ $^)

$(B)/bench/boost: $(RT)/boost.cc
	$(if $(have_boost),$(call say,CXX,$@),$(call left_out,Boost.Fiber))
	$(Q)mkdir -p $(@D)
	$(if $(have_boost),$(Q)$(CXX) $(RT_CXXFLAGS) $(WERROR) -o $@ $< \
		-lboost_fiber -lboost_context)
