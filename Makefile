# The two commands: make demo, make test. Everything is provisioned on the first use.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-chaos test-gpu up down status logs clean bench

PYTHON ?= python3
export PYTHON

## demo: set up, start the stack, train, sign, deploy, predict (FULL=1: attack, harden, release and ask an agent, too)
demo: setup
	@./saip demo $(if $(FULL),--full)

## test: set up, and run every check
test: setup
	@.saip/bin/node infra/checks/main.ts

## test-chaos: kill everything at random in twenty trainings, and break disks, data and connections (half an hour and more)
test-chaos: setup
	@SAIP_CHAOS_ROUNDS=$${SAIP_CHAOS_ROUNDS:-20} .saip/bin/node --experimental-vm-modules --disable-warning=ExperimentalWarning \
		node_modules/jest/bin/jest.js --config test/chaos/jest.config.js

## test-gpu: train on the GPU of this machine: determinism, resume, its memory, the same answers on the processor
test-gpu: setup
	@LD_LIBRARY_PATH="$$(.saip/bin/node -p "require('./.saip/toolchain.json').cudaLibraryPath.join(':')")" \
		.saip/bin/node --experimental-vm-modules --disable-warning=ExperimentalWarning \
		node_modules/jest/bin/jest.js --config test/gpu/jest.config.js

## setup: provision the pinned toolchain (a second run does nothing)
setup:
	@if command -v $(PYTHON) >/dev/null 2>&1 && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))'; \
	then $(PYTHON) infra/toolchain/setup.py; else sh infra/toolchain/preflight.sh; exit 1; fi

## up: start the embedded stack
up: setup
	@./saip up

## down: stop the embedded stack
down:
	@./saip down

## status: show services, ports and memory
status:
	@./saip status

## logs: show the last lines of every log
logs:
	@./saip logs

## clean: stop the stack and delete its data
clean:
	@./saip clean

## bench: measure against other implementations (SUITE=training for one suite)
bench: setup
	@.saip/bin/node --disable-warning=ExperimentalWarning bench/main.ts $(SUITE)

help:
	@sed -n 's/^## /make /p' $(MAKEFILE_LIST)
