"""Settings that are missing, or make no sense: one clear sentence and exit 1, no traceback."""

import os
import subprocess
import sys

import pytest

KEY = "b3BlbnMgbm90aGluZzsgdGhlIHRlc3RzIGhhdmUgaXQ="
COMPLETE = {
    "SECRET_KEY": "opens-nothing",
    "FIELD_ENCRYPTION_KEYS": KEY,
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def started(folder, **variables):
    """A program with these variables alone, and a `DATA_DIR` in which nothing ever ran."""
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder / "data")} | variables
    command = [sys.executable, "-c", "import portal.settings"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def assert_said(program, beginning):
    assert program.returncode == 1
    assert program.stderr.startswith(beginning)
    assert program.stderr.count("\n") == 1


def test_what_is_required_is_enough(tmp_path):
    assert started(tmp_path, **COMPLETE).returncode == 0


@pytest.mark.parametrize("name", COMPLETE)
def test_a_missing_setting_is_named(tmp_path, name):
    program = started(tmp_path, **{other: text for other, text in COMPLETE.items() if other != name})

    assert_said(program, f"{name} is not set")


@pytest.mark.parametrize(
    "name", ["PORT", "WEBHOOK_TIMEOUT", "OUTBOUND_ALLOWED_NETWORKS", "CHANNEL_BASE_URLS"]
)
def test_a_setting_that_cannot_be_read_is_named(tmp_path, name):
    assert_said(started(tmp_path, **COMPLETE, **{name: "nonsense"}), f"{name} is 'nonsense'")


@pytest.mark.parametrize("days", ["0", "15"])
def test_webhooks_are_switched_off_after_1_to_14_days(tmp_path, days):
    program = started(tmp_path, **COMPLETE, WEBHOOK_DISABLE_AFTER_DAYS=days)

    assert_said(program, f"WEBHOOK_DISABLE_AFTER_DAYS is '{days}': set it to 1 to 14.")


@pytest.mark.parametrize("keys", ["nonsense", f"{KEY},nonsense"])
def test_an_encryption_key_that_is_none_is_refused_before_anything_is_sealed(tmp_path, keys):
    program = started(tmp_path, **COMPLETE | {"FIELD_ENCRYPTION_KEYS": keys})

    assert_said(program, "FIELD_ENCRYPTION_KEYS holds what is no key")
