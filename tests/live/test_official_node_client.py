"""The vendor's official Node client, unchanged but for its hosts, against the running house."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.live.conftest import TOKEN_LIFETIME
from tests.live.house import ROOT, House

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(300)]

FOLDER = ROOT / "tests" / "live" / "node"
# npm's last act of an installation.
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"


@pytest.fixture(scope="module")
def node() -> str:
    """Node with the client installed; without Node, or without npm to install it, there is nothing to try."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        pytest.skip("Node is not installed: its official client is not tried.")
    if not INSTALLED.exists():
        if npm is None and not os.environ.get("CI"):
            pytest.skip("npm is not installed: Node's official client cannot be had.")
        command = [npm or "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=FOLDER, check=True, timeout=120)
    return node


def test_every_operation_of_the_node_client_works(node: str, house: House) -> None:
    names = ("base_url", "project_id", "key_id", "key_secret")
    facts = {name.upper(): house.facts[name] for name in names}

    done = subprocess.run(
        [node, "--test-reporter=spec", "run.mjs"],
        cwd=FOLDER,
        env=os.environ | facts | {"TOKEN_LIFETIME_SECONDS": str(TOKEN_LIFETIME)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
    )

    assert done.returncode == 0, done.stdout
    assert "\nℹ fail 0\n" in done.stdout
