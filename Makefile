# Every path is relative to this folder, so that spaces in the path that leads to it do no harm.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run logins test chaos check format setup setup-dev lock messages clean

PYTHON ?= python3
VENV := .venv/bin/python
seeds ?= 22
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard platform/souvenir/locale/*/LC_MESSAGES/*.po))
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header pyproject.toml
# All tests: on two processors, if there are two; a file's tests stay together, and in this order.
WHOLE := $(VENV) -m pytest --numprocesses auto --maxprocesses 2 --dist loadfile --no-loadscope-reorder
# platform/ is a source root, like src/.
export PYTHONPATH := platform:.

help:  ## say what each target does
	@sed -n 's/^\([a-z-]*\):.*##/\1 —/p' $(MAKEFILE_LIST)

run: .venv/run.stamp $(CATALOGUES)  ## start Souvenir on this machine; Ctrl-C stops it
	@exec $(VENV) -m souvenir.config.embedded

logins: .venv/run.stamp  ## new logins for the demonstration, while Souvenir runs
	@exec $(VENV) -m souvenir.config.embedded logins

test: .venv/dev.stamp $(CATALOGUES)  ## the tests alone: make test only=tests/souvenir/search
	$(if $(only),$(VENV) -m pytest $(only),$(WHOLE))

chaos: .venv/dev.stamp $(CATALOGUES)  ## kill every process while much is done, a quarter of an hour each: make chaos seeds="1 2 3"
	for seed in $(seeds); do \
		SOUVENIR_CHAOS_SEED=$$seed SOUVENIR_CHAOS_PEOPLE=250 SOUVENIR_CHAOS_OBJECTS=40 \
		SOUVENIR_CHAOS_EXPORTS=100 SOUVENIR_CHAOS_ERASURES=200 SOUVENIR_CHAOS_SECONDS=3600 \
		SOUVENIR_CHAOS_CLIENTS=8 SOUVENIR_CHAOS_RECOVERY=30 $(VENV) -m pytest tests/chaos --log-cli-level=INFO || exit 1; \
	done

check: .venv/dev.stamp $(CATALOGUES)  ## everything CI checks, cheapest first
	$(VENV) -m ruff format --check .
	$(VENV) -m ruff check .
	.venv/bin/lint-imports --no-logo
	$(VENV) -m mypy
	$(VENV) manage.py makemigrations --check --dry-run
	$(VENV) manage.py collect_messages --check
	$(WHOLE)

format: .venv/dev.stamp  ## put the code in order
	$(VENV) -m ruff check --fix .
	$(VENV) -m ruff format .

setup: .venv/run.stamp  ## install what running needs

setup-dev: .venv/dev.stamp  ## install what testing and checking need

messages: .venv/run.stamp  ## compile the translations
	$(VENV) manage.py compile_translations

lock:  ## write the lock files again from pyproject.toml; needs uv
	@command -v uv >/dev/null || { echo "uv is missing: python3 -m pip install uv"; exit 1; }
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra dev --output-file requirements-dev.lock

clean:  ## delete what can be made again; the data in .souvenir stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache static-collected
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f $(CATALOGUES)

.venv/run.stamp: requirements.lock
	$(call install,requirements.lock)

.venv/dev.stamp: requirements-dev.lock
	$(call install,requirements-dev.lock)

%.mo: %.po
	$(VENV) manage.py compile_translations

# $(1): the lock file. A Python that does not start is a moved or an interrupted installation.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Souvenir needs Python 3.11 or newer, and '$(PYTHON)' is not that."; \
		echo "Install one, then say which: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	@$(VENV) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "Installing $(1) into .venv; the first time takes a minute or two."
	@$(VENV) -m pip install -qq --disable-pip-version-check --require-hashes -r $(1)
	@touch $@
endef
