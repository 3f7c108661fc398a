# Every target works on a fresh clone with Python 3.11 or newer, make and git. `make run` and `make test` first.
PYTHON ?= python3
PORT ?= 8000
PACKAGES ?= dev
BIN := .venv/bin
FLASK := $(BIN)/flask --app app

# What `make run` is without further words: the demo district on this machine. The environment decides otherwise.
run demo: export XUNHE_ENV ?= demo
run demo: export XUNHE_DEMO ?= 1
run demo: export XUNHE_CHALLENGE_COST ?= 2000
# Threads that each keep a heap of their own would take a third more memory.
run: export MALLOC_ARENA_MAX ?= 2
run: export XUNHE_BIND ?= 127.0.0.1:$(PORT)
run: export XUNHE_BACKGROUND ?= 1

.PHONY: run demo test check bench soak docs environment clean lock

run: .venv/.runtime
	@$(BIN)/python -m patrol.foundation.listening
	@$(FLASK) db upgrade
	@$(FLASK) demo load --if-empty
	@echo "Xunhe 巡河: http://$(XUNHE_BIND)  (Ctrl-C stops it)"
	@exec $(BIN)/gunicorn --config gunicorn.conf.py app:app

demo: .venv/.runtime
	@$(FLASK) db upgrade
	@$(FLASK) demo load --reset

# Dozens of processes are started: without bytecode beside the sources each would compile all of them anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/.$(PACKAGES)
	$(BIN)/python -m pytest -n 2 --dist worksteal
ifneq ($(XUNHE_TEST_DATABASE_URL),)
	XUNHE_TEST_ENGINE=postgresql $(BIN)/python -m pytest -n 2 --dist worksteal
endif

check: .venv/.$(PACKAGES)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	XUNHE_ENV=test XUNHE_DATA=$(shell mktemp -d) $(FLASK) service documents --check

bench: .venv/.dev
	$(BIN)/python -m tests.bench

soak: .venv/.dev
	$(BIN)/python -m tests.soak
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile soak

docs: .venv/.dev
	XUNHE_ENV=test XUNHE_DATA=$(shell mktemp -d) $(FLASK) service documents

environment: .venv/.$(PACKAGES)

# With uv the environment comes from uv.lock, without it from the same versions exported with their hashes.
.venv/.runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	@if command -v uv >/dev/null; then uv sync -q --frozen --inexact --no-dev; else \
	  test -x $(BIN)/pip || $(PYTHON) -m venv .venv; $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt; fi
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@if command -v uv >/dev/null; then uv sync -q --frozen --inexact --group dev; else \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt; fi
	@touch $@

.venv/.ci: requirements-ci.txt .venv/.dev
	@if command -v uv >/dev/null; then uv sync -q --frozen --inexact --group dev --group ci; else \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-ci.txt; fi
	@touch $@

lock:
	uv lock
	uv export -q --format requirements-txt --no-dev -o requirements.txt
	uv export -q --format requirements-txt --group dev -o requirements-dev.txt
	uv export -q --format requirements-txt --group dev --group ci -o requirements-ci.txt

clean:
	rm -rf .venv var
