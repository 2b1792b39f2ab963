# The commands of the README. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup run test bench lint
SHELL := bash

# More arguments for the command, for example: make run ARGS=--no-tui
ARGS ?=

# Vulkan loaders complain where this is unset. BEAMLINE_ADAPTER passes through as it is.
ifeq ($(XDG_RUNTIME_DIR),)
export XDG_RUNTIME_DIR := $(CURDIR)/target/runtime
endif

help:  ## List the commands
	@sed -n 's/^\([a-z]*\): *\([a-z]* *\)## /  make \1\t/p' $(firstword $(MAKEFILE_LIST))

setup:  ## Check what is needed, and install it on Debian and Ubuntu
	@scripts/setup.sh
	@[ -d "$$XDG_RUNTIME_DIR" ] || mkdir -p -m 700 "$$XDG_RUNTIME_DIR"

run: setup  ## Run the demonstration mission and write its archive and report
	cargo run --release --locked -- mission missions/suncatcher.toml $(ARGS)

test: setup  ## Run all tests
	@if cargo nextest --version >/dev/null 2>&1; then \
		set -x && cargo nextest run --locked && cargo test --doc --locked; \
	else \
		set -x && cargo test --locked; \
	fi

bench: setup  ## Measure stages and trial rates on this machine's adapter
	cargo run --release --locked -- bench $(ARGS)

lint: setup  ## Check format, clippy and documentation
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --locked
