PY ?= python3
BIN := .venv/bin

.PHONY: setup demo test check format evaluate clean

# Everything comes from the hashed lock file; the package itself is linked, not copied.
.venv/.ready: requirements.lock pyproject.toml
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "VTOX needs Python 3.11 or newer; '$(PY)' is older or missing. Try: make $(MAKECMDGOALS) PY=python3.12"; exit 1; }
	@$(PY) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PY) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: .venv/.ready

demo: setup
	@$(BIN)/vtox demo

test: setup
	$(BIN)/pytest

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

# The other packages are optional: what cannot be installed is reported as such. ARGS=--quick
evaluate: setup
	@$(BIN)/python -c 'import matplotlib, statorscope, mcp_server_mcsa, predictive_maintenance_mcp' 2>/dev/null || \
	  $(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[evaluate]' || \
	  echo "Other packages could not be installed; VTOX is evaluated alone."
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m evaluation $(ARGS)

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv build dist *.egg-info
