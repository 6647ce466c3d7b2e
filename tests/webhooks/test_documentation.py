"""The examples of docs/webhooks.md do what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway import signing

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
CALL = """
const { headers, body, secret } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(isGenuine(headers, Buffer.from(body), secret)));
"""


def verdict_of_node(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """What the page's own function says."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node, for the page's example in JavaScript")
    example = re.search(r"```js\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert example
    given = json.dumps({"headers": headers, "body": body.decode(), "secret": secret})
    ended = subprocess.run(
        [node, "-e", example[1] + CALL], input=given, capture_output=True, check=True, timeout=20, text=True
    )
    return bool(json.loads(ended.stdout))


def test_the_signature_check_for_node_agrees_with_what_is_signed():
    body, secret = signing.encode({"app_id": "Ünï"}), "s3cr3t-Ünï"
    headers = signing.headers(body, secret, nonce="n0nce", timestamp=1_790_000_000)

    assert verdict_of_node(headers, body, secret)
    assert not verdict_of_node(headers, body + b" ", secret)
    assert not verdict_of_node(headers, body, "another")
