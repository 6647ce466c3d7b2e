"""The import contracts of pyproject.toml hold for the house, and each of them notices a violation."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = ROOT / "pyproject.toml"
SETTINGS = tomllib.loads(CONFIGURATION.read_text())["tool"]["importlinter"]
CONTRACTS = [contract["name"] for contract in SETTINGS["contracts"]]
LINE, NETWORK, WALL = CONTRACTS
# Import-linter knows other people's packages by their first name alone: `django`, never `django.db`.
ABOVE_GATEWAY = [room for room in SETTINGS["root_packages"] if room != "gateway"]
DOTTED = {"http.client": ABOVE_GATEWAY, "urllib.request": ABOVE_GATEWAY, "django.db": ["gateway"]}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Import-linter on the rooms in this folder, under the house's contracts."""
    command = "from importlinter.cli import lint_imports_command as lint; lint()"
    return subprocess.run(
        [sys.executable, "-c", command, "--config", str(CONFIGURATION), "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def dotted_violations(folder: Path) -> list[str]:
    """Imports of a forbidden part of a package whose other parts are welcome."""
    return [
        f"{path.relative_to(folder)} imports {name}"
        for name, rooms in DOTTED.items()
        for room in rooms
        for path in sorted((folder / room).rglob("*.py"))
        if any(f"{imported}.".startswith(f"{name}.") for imported in imports(path))
    ]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{alias.name}" for alias in names)


@pytest.fixture
def empty_house(tmp_path: Path) -> Path:
    """The eight rooms with nothing in them."""
    for room in SETTINGS["root_packages"]:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    return tmp_path


def test_the_house_keeps_its_contracts() -> None:
    linted = lint(ROOT)

    assert linted.returncode == 0, linted.stdout
    assert all(f"{contract} KEPT" in linted.stdout for contract in CONTRACTS)
    assert dotted_violations(ROOT) == []


def test_an_empty_house_keeps_them(empty_house: Path) -> None:
    linted = lint(empty_house)

    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("room", "statement", "contract"),
    [
        ("gateway", "import outbox", LINE),
        ("contacts", "from conversations import violation", LINE),
        ("conversations", "import retention", LINE),
        ("projects", "import socket", NETWORK),
        ("webhooks", "import pycurl", NETWORK),
        ("gateway", "import celery", WALL),
        ("gateway", "from rest_framework.views import APIView", WALL),
    ],
)
def test_a_violation_is_noticed_by_the_contract_that_forbids_it(
    empty_house: Path, room: str, statement: str, contract: str
) -> None:
    (empty_house / room / "violation.py").write_text(f"{statement}\n")

    linted = lint(empty_house)

    assert linted.returncode != 0
    assert f"{contract} BROKEN" in linted.stdout
    assert all(f"{other} KEPT" in linted.stdout for other in CONTRACTS if other != contract)


@pytest.mark.parametrize(
    ("room", "statement"),
    [
        ("projects", "import http.client"),
        ("portal", "from urllib.request import urlopen"),
        ("retention", "from urllib import request"),
        ("gateway", "from django.db import models"),
        ("gateway", "from django.db.models import Q"),
    ],
)
def test_a_violation_by_a_dotted_name_is_noticed_too(empty_house: Path, room: str, statement: str) -> None:
    (empty_house / room / "innocent.py").write_text(
        "from urllib.parse import urlsplit\nfrom django import conf\n"
    )
    assert dotted_violations(empty_house) == []

    (empty_house / room / "violation.py").write_text(f"def late():\n    {statement}\n")

    assert [found.split()[0] for found in dotted_violations(empty_house)] == [f"{room}/violation.py"]
