# Two targets matter to a newcomer: `make run` and `make test`. Both install what they need.
PYTHON ?= python3.10
BIN := .venv/bin
UV := $(BIN)/uv
export TF_CPP_MIN_LOG_LEVEL := 3
export SQLALCHEMY_SILENCE_UBER_WARNING := 1
export RASA_TELEMETRY_ENABLED := false
# Rasa and TensorFlow are thousands of modules. Where the environment says not to keep them
# compiled, every process compiles them anew, which takes three times as long as importing them.
unexport PYTHONDONTWRITEBYTECODE

# A file is one process's, so that what it shares is made once; the order is tests/conftest.py's.
SPREAD := --dist loadfile --no-loadscope-reorder

.PHONY: run test test-all units e2e train validate lint types floors bench requirements tools clean

run: .venv/installed
	$(BIN)/bot run --open

train: .venv/installed
	$(BIN)/bot train

# `make test-all` runs what is marked slow as well, which is more than a quarter of an hour.
CHOSEN ?= -m "not slow"
test-all: export CHOSEN :=
test-all: export FRONTDESK_TEST_ALL := 1
test-all: test

# A unit that fails keeps nobody from hearing of the whole instances.
test:
	$(MAKE) --jobs 2 tools lint validate
	$(MAKE) --keep-going --jobs 1 units e2e

units:
	$(BIN)/pytest --numprocesses 3 $(SPREAD) $(CHOSEN) --ignore tests/e2e

# Whole instances mostly wait, so that three have room on two cores.
e2e:
	$(BIN)/pytest --numprocesses 3 $(SPREAD) $(CHOSEN) tests/e2e

validate: train
	mkdir -p var
	$(BIN)/rasa data validate --fail-on-warnings > var/rasa-validate.log 2>&1 \
		|| { tail -n 40 var/rasa-validate.log; exit 1; }

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
# Plain `rasa test` takes every test below the root, also the one that `rasa init` would copy.
.venv/installed: requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(UV) || $(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	rm -f .venv/lib/python3*/site-packages/rasa/cli/initial_project/tests/test_stories.yml
	touch $@

# What the tests drive beside Python: a browser, and Redis for the wake-ups between hosts.
tools:
	command -v chromium > /dev/null && command -v chromium-headless-shell > /dev/null && \
		command -v redis-server > /dev/null || { \
		$$(command -v sudo) apt-get update -qq && $$(command -v sudo) apt-get install -qq --yes \
		chromium chromium-headless-shell redis-server; } > /dev/null

COMPILE = $(UV) pip compile --quiet --upgrade --python-version 3.10 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

requirements: .venv/installed
	$(COMPILE) --override requirements/overrides.txt pyproject.toml -o requirements/run.txt
	$(COMPILE) --override requirements/overrides.txt --group dev pyproject.toml -o requirements/dev.txt
	echo "uv==$$($(UV) --version | cut -d' ' -f2)" | $(COMPILE) - -o requirements/bootstrap.txt

clean:
	rm -rf .venv var models
