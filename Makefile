# Two targets matter to a newcomer: `make run` and `make test`. Both install what they need.
PYTHON ?= python3.10
BIN := .venv/bin
UV := $(BIN)/uv
export TF_CPP_MIN_LOG_LEVEL := 3
export SQLALCHEMY_SILENCE_UBER_WARNING := 1
export RASA_TELEMETRY_ENABLED := false

# Whole instances want the machine for themselves, and the sockets of wake-ups short paths;
# all else is spread over the cores.
ALONE := tests/e2e tests/store/test_wake.py
UNITS := $(addprefix --ignore ,$(ALONE))

.PHONY: run test train lint types floors bench requirements tools clean

run: .venv/installed
	$(BIN)/bot run --open

train: .venv/installed
	$(BIN)/bot train

test: .venv/installed tools lint
	mkdir -p var
	$(BIN)/bot train
	$(BIN)/rasa data validate --fail-on-warnings > var/rasa-validate.log 2>&1 \
		|| { tail -n 40 var/rasa-validate.log; exit 1; }
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
		--no-loadscope-reorder $(UNITS)
	$(BIN)/pytest $(ALONE)

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed
	$(BIN)/bot train
	$(BIN)/python -m bench

# --require-hashes: what is installed is what was reviewed. Rasa's own pins on two packages
# are overridden (requirements/overrides.txt says why), hence `sync`, which does not resolve.
.venv/installed: requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(UV) || $(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

# What the tests drive beside Python: a browser, and Redis for the wake-ups between hosts.
tools:
	command -v chromium > /dev/null && command -v redis-server > /dev/null || { \
		$$(command -v sudo) apt-get update -qq && \
		$$(command -v sudo) apt-get install -qq --yes chromium redis-server; } > /dev/null

COMPILE = $(UV) pip compile --quiet --upgrade --python-version 3.10 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

requirements: .venv/installed
	$(COMPILE) --override requirements/overrides.txt pyproject.toml -o requirements/run.txt
	$(COMPILE) --override requirements/overrides.txt --group dev pyproject.toml -o requirements/dev.txt
	echo "uv==$$($(UV) --version | cut -d' ' -f2)" | $(COMPILE) - -o requirements/bootstrap.txt

clean:
	rm -rf .venv var models
