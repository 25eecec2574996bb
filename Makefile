# SPDX-License-Identifier: BSD-2-Clause
# A thin front to Meson. Programs stand in build/.

BUILD := build
SANITIZED := build-dev
CLANG := build-clang
THREADS := build-tsan
# The tests of the library, which is called from many threads.
THREAD_TESTS := $(addprefix manager_,commands create descriptors direct execute fork helper move reconnect report threads)

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

# Install what the build and the tests need.
setup:
	tools/setup check

$(BUILD)/build.ninja:
	tools/setup build
	meson setup $(BUILD) $(MESON_OPTIONS)

$(SANITIZED)/build.ninja:
	meson setup $(SANITIZED) --native-file tools/dev.ini

$(CLANG)/build.ninja:
	CC=clang meson setup $(CLANG) --werror

# A cluster of two nodes on a simulated disk, in a minute and without root.
demo: all
	demo/cluster $(BUILD)

# The main job on real input: a virtual machine, a disk with two initiators, and QEMU.
demo-vm: all
	tools/setup check
	tests/vm/demo $(BUILD)/qemu-pr-helper

$(THREADS)/build.ninja:
	meson setup $(THREADS) --native-file tools/tsan.ini

# Everything that is tested; the last line counts it.
check: setup all $(SANITIZED)/build.ninja $(CLANG)/build.ninja $(THREADS)/build.ninja
	ninja -C $(SANITIZED)
	ninja -C $(CLANG)
	ninja -C $(THREADS) $(addprefix tests/test_,$(THREAD_TESTS))
	tests/run $(BUILD) $(SANITIZED) $(THREADS) $(THREAD_TESTS)

# The protocol tests on Debian's qemu-pr-helper, where it differs, and what it fails on real disks.
check-peer: setup
	tests/protocol/run --peer
	tests/vm/run --peer

# Honest and hostile clients, kill -9, disks that hang, no descriptors, on the simulated target
# and on real disks, for so many minutes: make soak MINUTES=60. SEED=n repeats one.
soak: all
	tools/setup check
	tests/soak/run --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED))

# Every harness for so many seconds: make fuzz SECONDS=60; with AFL++: make fuzz SECONDS=60 AFL=1
fuzz:
	tools/setup fuzz
	tests/fuzz/run $(if $(AFL),--afl) $(or $(SECONDS),60)

lint: all
	tests/lint/run $(BUILD)/qemu-pr-helper:man/qemu-pr-helper.8.scd \
		$(BUILD)/pr-helper-sim:man/pr-helper-sim.8.scd $(BUILD)/pr-manager:man/pr-manager.1.scd
	# memleak: cppcheck does not know __attribute__((cleanup)); valgrind does.
	cppcheck --quiet --error-exitcode=1 --enable=warning,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=memleak -I src -I include src

# Ours, Debian's, and the least server that speaks the protocol; then on a real disk.
bench: all
	tools/setup check
	bench/run --build $(BUILD) --sim $(BUILD)/pr-helper-sim --json $(BUILD)/bench.json
	bench/vm --build $(BUILD) --json $(BUILD)/bench-vm.json

install: all
	meson install -C $(BUILD) --no-rebuild $(if $(DESTDIR),--destdir "$(DESTDIR)")

clean:
	rm -rf $(BUILD) $(SANITIZED) $(CLANG) $(THREADS) build-fuzz

.PHONY: all setup demo demo-vm check check-peer soak bench fuzz lint install clean
