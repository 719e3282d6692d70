# `make demo` and `make test` install everything first; they need Python 3.11 or newer with venv, and a package index.

PYTHON ?= python3
BIN := .venv/bin
PACKAGES := libs/common libs/client cli services/api services/ticker services/runner services/mailer
OWN := $(notdir $(PACKAGES))
ARGS ?=
MINUTES ?= 30
TEST_LIMIT ?= 2h
SEED ?=
BENCHES ?= $(wildcard bench/*.py)

.PHONY: install demo pictures looks terminal up console asyncapi test test-deploy lint soak bench lock clean

install: .venv/installed

.venv/installed: requirements.lock $(PACKAGES:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Nightmail needs Python 3.11 or newer: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: --no-binary nkeys -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(PACKAGES:%=-e %)
	$(BIN)/python -m compileall -q -x gallery/jobs $(PACKAGES)
	@touch $@

demo: install
	$(BIN)/python examples/demo.py $(ARGS)

# The pictures in README and docs/console.md, drawn by Chromium: the demo's newest mail with a chart, and the console with the examples.
pictures: install
	$(BIN)/python examples/demo.py --once
	$(BIN)/python examples/picture.py
	$(BIN)/python examples/console_pictures.py

# The pictures of the console's pages that tests compare, and the answers of the API from which they are drawn. Look at them.
looks: install
	PYTHONPATH=tests $(BIN)/python -m console.looks

# The page of what the commands print on a terminal.
terminal: install
	$(BIN)/python examples/terminal.py

up: install
	$(BIN)/nightmail up $(ARGS)

# The web console, built into the API's package; needs Node 20. The built files are in git, so that nothing else needs Node.
# Its types come from the API's own OpenAPI document.
console: install console/node_modules/.package-lock.json
	mkdir -p console/build
	$(BIN)/python -c 'import json; from nightmail_api.http.application import build_application as build; print(json.dumps(build(None).openapi()))' > console/build/openapi.json
	$(BIN)/python -c 'import json; from nightmail_cli.commands.gallery import document; print(json.dumps(document()))' > console/build/gallery.json
	cd console && npm run --silent types && npm run --silent check && npm run --silent test && npm run --silent build

# The event contract by the official parser of AsyncAPI; needs Node 20. The suite validates it by the official schema (decision 0309).
asyncapi:
	mkdir -p .asyncapi && npm install --silent --no-save --prefix .asyncapi @asyncapi/parser@3
	echo 'import {Parser} from "@asyncapi/parser"; import {readFileSync} from "node:fs"; const {document, diagnostics} = await new Parser().parse(readFileSync("docs/asyncapi.json", "utf8")); console.log(diagnostics.map(one => `$${one.message} $${one.path.join(".")}\n`).join(""), document ? `$${document.allMessages().length} messages` : "invalid"); process.exit(document && diagnostics.every(one => one.severity > 1) ? 0 : 1)' > .asyncapi/validate.mjs
	node .asyncapi/validate.mjs

console/node_modules/.package-lock.json: console/package-lock.json
	cd console && npm ci --silent

# A hung test fails by itself (tests/conftest.py), which also orders the files: the longest first. A crashed worker is not replaced, because pytest-xdist 3.8 then waits for
# ever (pytest-dev/pytest-xdist#1378): the run ends red. The time limit ends a run that hangs outside a test.
test: lint
	timeout --foreground --kill-after=1m $(TEST_LIMIT) $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(ARGS)

# What runs the deployments for real: all images, a systemd machine, a virtual machine, a production install, Prometheus, a full disk. As root, with
# Debian's packages prometheus, systemd-container, mmdebstrap, buildah, podman, crun, docker.io, qemu-system-x86 and iproute2; the summary has one line for each thing that is
# skipped, with its reason. LAST_RELEASE=COMMIT tests the upgrade from that commit instead of the newest tag of a version.
# Three workers, because most of the time is waiting: for a boot, and for alerts.
test-deploy: install
	timeout --foreground --kill-after=1m 60m $(BIN)/python -m pytest -q -m "long or not long" -n 3 --dist loadfile --no-loadscope-reorder --timeout 1500 -rs --durations 15 tests/deploy $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy libs services cli tests bench examples

# Random faults in the running system, hostile jobs beside honest ones, and hostile SMTP servers in rotation, each for MINUTES; SEED=... repeats their order.
soak: install
	SOAK_MINUTES=$(MINUTES) SOAK_SEED=$(SEED) $(BIN)/python -m pytest -q -m long --timeout 0 tests/faults tests/mailer/test_soak.py

bench: install
	for bench in $(BENCHES); do echo "== $$bench"; $(BIN)/python $$bench $(ARGS) || exit 1; done

# Resolve requirements.lock, then derive each image's lock from it. The locks have hashes and no URLs, and are universal: they
# install on every supported Python and platform.
SERVICES := api ticker runner mailer
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	$(OWN:%=--no-emit-package nightmail-%)
DERIVE = $(COMPILE) -c requirements.lock
lock: install
	$(BIN)/python -m pip install --quiet 'uv>=0.13,<0.14'
	$(COMPILE) --group dev --extra traces $(PACKAGES:%=%/pyproject.toml) -o requirements.lock $(UPGRADE)
	for service in $(SERVICES); do $(DERIVE) --extra traces libs/common/pyproject.toml services/$$service/pyproject.toml -o deploy/locks/$$service.lock || exit 1; done
	$(DERIVE) --extra traces $(PACKAGES:%=%/pyproject.toml) -o deploy/locks/cli.lock
	echo flit_core | $(DERIVE) - -o deploy/locks/build.lock

clean:
	rm -rf .asyncapi console/node_modules console/build .venv .mypy_cache .ruff_cache .pytest_cache
