# `make run` and `make test` need python3 (3.11 or newer) with pip, and nothing else.
PYTHON ?= python3
ARGS ?=

RUN = @$(PYTHON) bootstrap.py requirements-run.txt
TEST = @$(PYTHON) bootstrap.py requirements.txt

.PHONY: run test check bench lock

run:  ## everything together in the foreground; Ctrl-C stops it
	$(RUN) manage.py up

test:  ## the whole suite, on an embedded PostgreSQL and Redis of its own
	$(TEST) -m pytest -n 2 --dist loadgroup $(ARGS)

# The checks want settings, not secrets: these open nothing.
check: export DATA_DIR = var/check
check: export SECRET_KEY = opens-nothing-and-serves-make-check-alone-0123456789
check: export FIELD_ENCRYPTION_KEYS = b3BlbnMgbm90aGluZzsgbWFrZSBjaGVjayBoYXMgaXQ=
check:  ## format, lint, import contracts, missing migrations, deploy checks, types
	$(TEST) -m ruff format --check
	$(TEST) -m ruff check
	$(TEST) -c "from importlinter.cli import lint_imports_command as lint; lint()"
	$(TEST) manage.py makemigrations --check --dry-run
	$(TEST) manage.py check --deploy --fail-level WARNING
	$(TEST) -m mypy .

bench:  ## every benchmark; SCALE=full runs the stated sizes, ONLY=name one of them
	$(TEST) -m benchmarks

lock:  ## remake the lock files: of pyproject.toml, and of the benchmarks' peers
	@NO_UV= $(PYTHON) bootstrap.py requirements.txt -c ""
	.tools/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
		--extra embedded -o requirements-run.txt pyproject.toml
	.tools/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--extra embedded --group dev -c requirements-run.txt -o requirements.txt pyproject.toml
	.tools/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		-c requirements-run.txt -o benchmarks/peers.txt benchmarks/peers.in
