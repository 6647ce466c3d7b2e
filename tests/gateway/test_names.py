"""A name is called only if everything it stands for may be, whichever address would be dialled."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from ipaddress import ip_network

import pytest

from gateway.addresses import ForbiddenTarget, Guard, check_url
from gateway.http import Client, Request
from tests.gateway.loopback import serving

HOSTS = """
127.0.0.1 localhost
93.184.216.34 mixed.test
fd00::1 mixed.test
127.0.0.1 listed.test
fd00::1 listed.test
"""
GUARD = Guard([ip_network("127.0.0.1/32")])


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="Only root has names of its own made."
)
def test_a_name_is_refused_for_any_forbidden_address_unless_another_is_listed(tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text(HOSTS)
    script = 'mount --bind "$1" /etc/hosts && exec "$2" -m tests.gateway.test_names'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(hosts), sys.executable]

    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)

    assert told == {
        "mixed, saved": "The URL leads where requests may not go: fd00::1 is not a public address.",
        "mixed, sent": ["forbidden", "fd00::1 is not a public address"],
        "mixed, sent at once again": ["forbidden", "fd00::1 is not a public address"],
        "listed, sent": [200, ""],
        "given up while it is looked up": [],
    }


async def ask() -> dict[str, object]:
    """Within a world in which these names mean something."""
    told: dict[str, object] = {}
    try:
        check_url("https://mixed.test/hook", GUARD)
    except ForbiddenTarget as error:
        told["mixed, saved"] = str(error)
    async with serving(host="127.0.0.1") as server, Client(guard=GUARD) as client:
        for what in ("mixed, sent", "mixed, sent at once again"):
            response = await client.send(Request("GET", "https://mixed.test/hook", timeout=5))
            told[what] = [response.error, response.detail]
        response = await client.send(Request("GET", server.url(host="listed.test")))
        told["listed, sent"] = [response.status, response.error]
    async with Client(guard=GUARD) as client:
        answers: list[object] = []
        client.start(Request("GET", "https://mixed.test/hook"), then=answers.append)()
        await asyncio.sleep(0.5)
        told["given up while it is looked up"] = answers
    return told


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask())))
