"""Is a certificate of deletion genuine? `python verify_certificate.py FILE [PUBLIC_KEY]`; status 0: it is.
Needs Python and `cryptography`, nothing of the installation that issued it. PUBLIC_KEY, in base64, is the key that
you know to be theirs: without it the file is judged by the key that stands in it."""

import base64
import hashlib
import json
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def canonical(value: object) -> bytes:
    """RFC 8785: there are no fractions in a certificate, and its keys are ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def faults(certificate: dict[str, Any], known_key: str | None) -> Iterator[str]:
    """Everything that is wrong with it."""
    seal = certificate.pop("signed")
    key, signature = base64.b64decode(seal["public_key"]), base64.b64decode(seal["signature"])
    texts = [base64.b64encode(content).decode() for content in (key, signature)]
    if seal != dict(zip(("algorithm", "public_key", "signature"), ("Ed25519", *texts), strict=True)):
        yield "The signature is not written as ours are."
    if known_key not in (None, texts[0]):
        yield "It was signed with another key."
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, canonical(certificate))
    except InvalidSignature:
        yield "The signature does not fit."
    before, counts = (-1, ""), {"messages": 0, "conversations": 0, "events": 0, "held": 0}
    for row in certificate["rows"]:
        own_hash = row.pop("hash")
        if hashlib.sha256(canonical(row)).hexdigest() != own_hash:
            yield f"Row {row['number']} is not as it was written."
        if row["purge"] != certificate["run"]["id"]:
            yield f"Row {row['number']} is of another run."
        if row["number"] == before[0] + 1 and row["previous_hash"] != before[1]:
            yield f"Row {row['number']} does not follow the row before it."
        before = row["number"], own_hash
        counts = {name: count + row[name] for name, count in counts.items()}
    if any(certificate["counts"][name] != count for name, count in counts.items()):
        yield "The rows do not add up."


def main(path: str, known_key: str | None = None) -> int:
    """Say what is wrong with the file, and end with 1; else 0."""
    try:
        wrong = list(faults(json.loads(pathlib.Path(path).read_bytes()), known_key))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        wrong = [f"It is no certificate: {error!r}."]
    print("\n".join(wrong) or "Genuine.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
