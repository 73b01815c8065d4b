# Two commands do everything: `make demo` (the main job, on synthetic hospitals) and `make test` (all checks).
# One profile and one target directory serve both.

SHELL := /bin/bash
PERSONS ?= 10000
SEED ?= 1
OUT ?= demo-out
DEMO_LANG ?= $(if $(filter ja%,$(LANG)),ja,en)

.PHONY: demo test lint deny bench setup clean

setup:
	@bash tools/setup.sh

demo: setup
	cargo build --workspace --bins
	$${CARGO_TARGET_DIR:-target}/debug/azekura demo --out $(OUT) --persons $(PERSONS) --seed $(SEED) --lang $(DEMO_LANG)

test: setup lint deny
	cargo test --workspace

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

deny:
	bash tools/deny.sh

bench: setup
	bash bench/run.sh

clean:
	cargo clean
