# plimsoll: a thin layer over Meson. `make help` lists the targets.
#
# `make demo` and `make check` install what they need with apt (as root, or through sudo), so that
# each works on a bare Debian 12 or Ubuntu machine.

SHELL := /bin/bash
BUILD := build
PYTHON := .venv/bin/python
SHARED ?= $(CURDIR)/../shared
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends

BUILD_PACKAGES := gcc libc6-dev meson ninja-build pkg-config libisal-dev zlib1g-dev libzstd-dev libbz2-dev liblzma-dev \
	libsqlite3-dev libjansson-dev libssl-dev libcurl4-openssl-dev \
	libseccomp-dev libxxhash-dev libhyperscan-dev libpcre2-dev libyaml-dev libexpat1-dev
DEMO_PACKAGES := mmdebstrap python3 python3-pip
CHECK_PACKAGES := libcmocka-dev clang libclang-rt-14-dev python3-venv mmdebstrap docker.io skopeo \
	docker-registry podman buildah umoci containerd crun openssl isal procps util-linux man-db patchelf git valgrind zip
# An npm of another origin would be in the way of Debian's.
WORLD_PACKAGES := python3-venv mmdebstrap $(if $(shell command -v npm),,npm)
LINT_PACKAGES := clang-format cppcheck

FUZZ_SECONDS ?= 300
CHECK_FUZZ_SECONDS ?= 5
PREFIX ?= /usr/local

.PHONY: help demo check bench world fuzz lint format install release test-build asan-build clean facts

help:
	@sed -n 's/^## //p' Makefile

## make demo      build a release, make a real image from real packages, scan it
demo:
	@scripts/need-packages $(BUILD_PACKAGES) $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory release
	@[ -s $(BUILD)/demo.tar ] || $(SUDO) scripts/make-demo-image $(BUILD)/demo.tar
	$(BUILD)/release/plimsoll image --input $(BUILD)/demo.tar

## make check     install what the tests need, and pass them (plain, and under ASan and UBSan)
check:
	@scripts/need-packages $(BUILD_PACKAGES) $(CHECK_PACKAGES)
	@scripts/check

## make fuzz      every fuzz target for FUZZ_SECONDS (300) each
fuzz:
	@scripts/need-packages $(BUILD_PACKAGES) $(CHECK_PACKAGES)
	@scripts/fuzz $(FUZZ_SECONDS)

## make bench     measure against the decompressors alone, Trivy and Syft (where they are on the PATH)
bench: release
	@scripts/need-packages $(BUILD_PACKAGES) $(DEMO_PACKAGES)
	@bench/run --curve

## make world     scan what images hold most, all of it public (fetched once, 40 GB), beside other scanners
world: release
	@scripts/need-packages $(BUILD_PACKAGES) $(WORLD_PACKAGES)
	@bench/world/run --split

## make lint      format, static analysis, and that no function or file grows too long
lint:
	@scripts/need-packages $(BUILD_PACKAGES) $(LINT_PACKAGES)
	@scripts/lint

## make format    put the sources into the project's format
format:
	@git ls-files 'src/*.[ch]' 'tests/*.[ch]' | xargs clang-format -i

## make install   install the program, starter store, man page and completions under PREFIX
install: release
	$(SUDO) meson install -C $(BUILD)/release --no-rebuild

release:
	@[ -d $(BUILD)/release ] || meson setup $(BUILD)/release --buildtype=release --prefix=$(PREFIX) -Dtests=false >/dev/null
	@ninja -C $(BUILD)/release --quiet

test-build:
	@[ -d $(BUILD)/test ] || meson setup $(BUILD)/test --buildtype=release -Dtest_hooks=true >/dev/null
	@ninja -C $(BUILD)/test --quiet

asan-build:
	@[ -d $(BUILD)/asan ] || meson setup $(BUILD)/asan --buildtype=debugoptimized \
		-Db_sanitize=address,undefined -Db_lundef=false -Dtest_hooks=true >/dev/null
	@ninja -C $(BUILD)/asan --quiet

## make facts     make data/starter.facts.zst anew from the feeds in SHARED
facts: release
	rm -f $(BUILD)/facts.db
	$(BUILD)/release/plimsoll db import --facts-only --db $(BUILD)/facts.db $(SHARED)/feeds
	$(BUILD)/release/plimsoll db export-facts --db $(BUILD)/facts.db data/starter.facts.zst

clean:
	rm -rf $(BUILD)
