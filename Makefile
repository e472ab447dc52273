# Everything a machine with Python 3.11 to 3.14 and make needs to run, prove and change totes.
# Python packages, Node and the cdk CLI are pinned in toolchain/ and installed into this folder alone.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PAGE := dashboard/dist/index.html
AUDIT ?= audit
UV := UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := 1
# Node keeps what it has compiled here, not in the temporary folder; of the CDK nothing (local_cloud/cdk.py says why).
export NODE_COMPILE_CACHE := $(CURDIR)/build/node
# To compile the CDK's modules takes seconds; what is compiled is kept, whatever this machine says by default.
unexport PYTHONDONTWRITEBYTECODE
# They send what is installed elsewhere, leave out what tests need, or put another project's modules before these.
unexport PIP_USER PIP_TARGET PIP_PREFIX UV_PROJECT PYTEST_DISABLE_PLUGIN_AUTOLOAD PYTHONPATH

# Caches want a home that can be written; who runs in a container has often none.
ifneq ($(shell test -w "$$HOME" && echo writable),writable)
export HOME := $(CURDIR)/build/home
# The CDK's wants one, besides, in which nobody else may write.
export JSII_RUNTIME_PACKAGE_CACHE := disabled
endif

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) $(PAGE) ## Install what totes needs into .venv and toolchain/node_modules, and build the dashboard.

$(READY): toolchain/installer.lock toolchain/python.lock toolchain/package-lock.json pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15) and "totes needs Python 3.11 to 3.14; name one with make PYTHON=...")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r toolchain/installer.lock
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r toolchain/python.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	$(BIN)/npm ci --prefix toolchain --silent --no-audit --no-fund
	$(BIN)/python -m stacks.certificates
	$(BIN)/python -m stacks.dependencies
	@touch $@

dashboard/node_modules/.ready: dashboard/package-lock.json | $(READY)
	@# What builds it is for development, which NODE_ENV=production would leave out.
	$(BIN)/npm ci --prefix dashboard --include=dev --silent --no-audit --no-fund
	@touch $@

$(PAGE): dashboard/node_modules/.ready dashboard/build.mjs $(wildcard dashboard/static/* dashboard/src/* dashboard/src/*/*)
	$(BIN)/npm run build --prefix dashboard --silent

.PHONY: demo
demo: setup ## Watch a shop's orders reach the warehouse, on this machine (Ctrl-C ends it).
	$(BIN)/totes demo

# Each worker has servers and clouds of its own; it wants a core and a gigabyte.
WORKERS ?= 4
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --durations 10

.PHONY: test
test: setup ## Run every test but those of make dbt and make versions, quick ones first, in WORKERS=4 processes.
	$(PYTEST)

.PHONY: unit
unit: setup ## Run the tests that need nothing but this folder, in seconds.
	$(PYTEST) tests/unit

.PHONY: infrastructure
infrastructure: setup ## Run the tests of what is synthesised.
	$(PYTEST) tests/infrastructure

.PHONY: integration
integration: setup ## Run the tests of each part with its database, its lake or its endpoint.
	$(PYTEST) tests/integration

.PHONY: end-to-end
end-to-end: setup ## Run the tests of deployed stacks and of every command.
	$(PYTEST) tests/end_to_end

.PHONY: faults
faults: setup ## Run the tests that kill, cut and race.
	$(PYTEST) tests/faults

# dbt wants other versions of what totes uses: it has an environment of its own.
build/dbt/.ready: toolchain/dbt.lock $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/dbt
	$(BIN)/uv pip install --quiet --python build/dbt/bin/python --require-hashes -r toolchain/dbt.lock
	@touch $@

.PHONY: dbt
dbt: build/dbt/.ready ## Install dbt into build/dbt and run the tests of the star that docs/dbt ships.
	$(PYTEST) --numprocesses 0 tests/end_to_end/test_dbt.py

# Each version of PostgreSQL that totes promises to work with and does not bring. npm calls every lock file the same:
# this one has a folder of its own.
build/versions/.ready: $(addprefix toolchain/versions/,package.json package-lock.json .npmrc) $(READY)
	@mkdir -p $(@D)
	@cp $(filter toolchain/%,$^) $(@D)
	$(BIN)/npm ci --prefix $(@D) --silent --no-audit --no-fund
	@touch $@

.PHONY: versions
versions: build/versions/.ready ## Run the tests of what talks to PostgreSQL on 14, 15 and 17 too, installed into build (VERSIONS=14).
	@# Where none is named it is those that there are for this machine: for arm64 there is no 14.
	@# What is measured has servers of its own.
	@versions="$(or $(VERSIONS),$$(ls build/versions/node_modules | sed -nE 's/^postgres-([0-9]+)-.*/\1/p'))"; \
	[ -n "$$versions" ] || { echo "toolchain/versions has no PostgreSQL for this machine" >&2; exit 1; }; \
	failed=; \
	for version in $$versions; do \
		echo "PostgreSQL $$version"; \
		TESTED_POSTGRES=$$version $(PYTEST) tests/integration --ignore tests/integration/benchmark || failed="$$failed $$version"; \
	done; \
	[ -z "$$failed" ] || { echo "tests failed on PostgreSQL$$failed" >&2; exit 1; }

# checkov too, and it is wanted by those alone who check.
build/checkov/.ready: toolchain/checkov.lock $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/checkov
	$(BIN)/uv pip install --quiet --python build/checkov/bin/python --require-hashes -r toolchain/checkov.lock
	@touch $@

.PHONY: scan
scan: build/checkov/.ready ## Have checkov scan the templates in cdk.out; toolchain/checkov.yaml says what is not followed.
	@ls cdk.out/*/*.template.json >/dev/null  # checkov itself takes none for a good one
	build/checkov/bin/checkov --config-file toolchain/checkov.yaml --file cdk.out/*/*.template.json

.PHONY: coverage
coverage: setup ## Run all that make test runs, and show what of the shipped code none of them reaches.
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses $(WORKERS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --show-missing --skip-covered --fail-under=90

.PHONY: check
check: setup ## Check format, lint, types, security, synth, nag and templates, with an outside scanner too.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@# The first takes one core as long as the rest the other.
	$(MAKE) --jobs 2 synth types security page $(AUDIT) ALARM_EMAIL=$(or $(ALARM_EMAIL),nobody@example.com)
	$(MAKE) --jobs 2 lint scan

.PHONY: types
types: setup ## Check types.
	$(BIN)/mypy

.PHONY: security
security: setup ## Have bandit look for what is unsafe.
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml app.py stacks lambdas layers command_line local_cloud simulator costs

.PHONY: page
page: setup ## Check the dashboard's page: format, lint, types.
	$(BIN)/npm run check --prefix dashboard --silent

.PHONY: lint
lint: setup ## Have cfn-lint check the templates in cdk.out.
	@# What the CDK itself writes twice over, W3005, is none of ours; W3691 knows minor versions of engines alone.
	$(BIN)/cfn-lint --ignore-checks W3005 W3691 --regions eu-west-2 us-east-1 -- cdk.out/*/*.template.json

# Whom alarms tell, where stacks/config.py does not say; prod is not synthesised without.
export ALARM_EMAIL ?=
# What the output Commit says, where it is not the commit that is checked out.
export COMMIT ?=

.PHONY: synth
synth: setup ## Synthesise every environment into cdk.out (ALARM_EMAIL=address), without an account and without a network.
	@environments=$$($(BIN)/python -c 'from stacks.config import names; print(*names())') || exit; \
	for environment in $$environments; do \
		toolchain/node_modules/.bin/cdk synth --quiet -c env=$$environment -c "alarm_email=$$ALARM_EMAIL" \
			$${COMMIT:+-c "commit=$$COMMIT"} --output cdk.out/$$environment || exit; \
	done

.PHONY: snapshots
snapshots: setup ## Write the templates' snapshots, after a change that was looked at.
	WRITE_SNAPSHOTS=yes $(BIN)/pytest -q tests/infrastructure/test_snapshots.py

# The source's URI has a password in it, and so is no argument, which everybody on the machine sees.
export SOURCE_ADMIN ?=
export SOURCE_HOST ?=
export SOURCE_PORT ?=

.PHONY: acceptance
acceptance: setup ## Deploy, use, break, heal and take away ENV=dev in the AWS account (LOCAL=yes: on this machine).
	@$(BIN)/python -m command_line.acceptance --env $(or $(ENV),dev) $(if $(SUFFIX),--suffix $(SUFFIX) )$(if \
		$(LOCAL),--local )$(if $(FRESH),--fresh )$(if $(CLEAN),--clean)

# What totes is measured beside: pandas and dlt, which nothing of totes wants.
build/baselines/.ready: toolchain/baselines.lock $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/baselines
	$(BIN)/uv pip install --quiet --python build/baselines/bin/python --require-hashes -r toolchain/baselines.lock
	@touch $@

.PHONY: bench
bench: setup build/baselines/.ready ## Measure totes beside psql and simple ways (ORDERS=100000,1000000 REPEATS=3; docs/speed.md).
	$(BIN)/python -m tests.benchmark.suite run $(if $(ORDERS),--orders $(ORDERS)) $(if $(BATCHES),--batches $(BATCHES)) \
		$(if $(REPEATS),--repeats $(REPEATS)) $(if $(ONLY),--only $(ONLY))

.PHONY: bench-compare
bench-compare: setup ## Compare two results of make bench (BEFORE=file AFTER=file).
	$(BIN)/python -m tests.benchmark.suite compare $(BEFORE) $(AFTER)

.PHONY: bench-page
bench-page: setup ## Time the dashboard's page with ORDERS=100000 sales orders: first paint, a filter, memory.
	$(BIN)/python -m tests.benchmark.page $(or $(ORDERS),100000)

.PHONY: bench-old
bench-old: setup ## Time load, rebuild and ticks over a lake of BATCHES=10000 batches.
	$(BIN)/python -m tests.benchmark.old_lake $(or $(BATCHES),10000)

.PHONY: bench-snapshot
bench-snapshot: setup ## Time the publication of a snapshot of ORDERS=100000 sales orders, and of a tick.
	$(BIN)/python -m tests.benchmark.snapshot $(or $(ORDERS),100000)

.PHONY: soak
soak: setup ## Run TICKS=1000 ticks with random faults (SEED=1, PROCESSES=4) and check that nothing is lost or doubled.
	$(BIN)/python -m tests.faults.soak --ticks $(or $(TICKS),1000) --seed $(or $(SEED),1) --processes $(or $(PROCESSES),4) \
		$(if $(REPORT),--report $(REPORT))

.PHONY: screenshots
screenshots: setup ## Take the pictures of the dashboard again, of a simulated shop, into docs/pictures.
	$(BIN)/python -m tests.support.pictures docs/pictures

.PHONY: mutation
mutation: setup ## Weaken the protocol in many ways and show which invariant catches each, and when.
	$(BIN)/python -m tests.faults.mutation

.PHONY: audit
audit: setup ## Ask whether a locked package has a known vulnerability (REQUIRED=yes: fail where nobody answers).
	@$(BIN)/python toolchain/audit.py $(if $(REQUIRED),--required) \
		layers/dependencies/requirements.lock $(sort $(wildcard toolchain/*.lock)) \
		$(addsuffix /package-lock.json,dashboard toolchain toolchain/versions)

.PHONY: lock
lock: $(READY) ## Bring the lock files up to date with what they are made from.
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' layers/dependencies/requirements.in -o layers/dependencies/requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' toolchain/python.in -o toolchain/python.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' -c toolchain/python.lock toolchain/installer.in -o toolchain/installer.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' toolchain/dbt.in -o toolchain/dbt.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' toolchain/checkov.in -o toolchain/checkov.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' toolchain/baselines.in -o toolchain/baselines.lock
	$(BIN)/npm install --prefix toolchain --package-lock-only --silent --no-audit --no-fund
	$(BIN)/npm install --prefix toolchain/versions --package-lock-only --silent --no-audit --no-fund
	$(BIN)/npm install --prefix dashboard --package-lock-only --silent --no-audit --no-fund
	$(BIN)/python toolchain/forget_funding.py $(addsuffix /package-lock.json,toolchain toolchain/versions dashboard)
