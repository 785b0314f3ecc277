# Everything a person or CI runs. `make demo` needs cargo only.

.PHONY: help demo test setup fmt lint core bench clean

CARGO ?= cargo

# Without the allocator of what is shipped, which takes as long to build as half of the rest.
DEMO = --no-default-features --features service --bin northstar

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## build and watch it triage a small organisation, without credentials or network
	@echo "Building northstar (the first build compiles its dependencies and takes some minutes) …"
	@$(CARGO) build --quiet $(DEMO)
	@$(CARGO) run --quiet $(DEMO) -- demo --once

test: setup lint core ## install what is missing, then run every check and test
	$(CARGO) nextest run --no-tests=fail
	$(CARGO) test --doc
	@echo "make test: all green"

setup: ## install what the tests need and this machine lacks
	@tests/setup.sh

fmt:
	$(CARGO) fmt

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --no-deps

core: ## the pure core alone: no I/O crate may be reached from it
	$(CARGO) clippy --no-default-features --lib -- -D warnings
	$(CARGO) nextest run --no-default-features --lib

bench: ## measure (nothing is asserted); prints the machine it measured on
	$(CARGO) bench

clean:
	$(CARGO) clean
