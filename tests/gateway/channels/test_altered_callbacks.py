"""A callback with any of its values replaced is read or refused: whoever knows its URL may send one."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.channels import ADAPTERS
from gateway.channels.base import Channel
from projects.requests.wire import timestamp
from tests.gateway.channels.contract import CALLBACKS

RECORDINGS = sorted(CALLBACKS.glob("*/*.json"))
ODD: list[Any] = [
    *(None, True, 0, -1, 10**18, 10**19, 1e308, "", "x", "+", [], {}, ["a"], {"a": 1}),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),  # in UTC these are in no year
]


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all that stands in a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*way, key)
        yield from places(item, (*way, key))


def replaced(body: Any, way: tuple[Any, ...], odd: Any) -> bytes:
    whole = place = copy.deepcopy(body)
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = odd
    return json.dumps(whole).encode()


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_altered_callback_brings_no_adapter_down(recording: Path) -> None:
    adapter = ADAPTERS[Channel(recording.parent.name.upper())]
    body = json.loads(recording.read_text())["body"]

    for way, odd in itertools.product(places(body), ODD):
        with contextlib.suppress(ValueError):  # refused
            for event in adapter.parse(replaced(body, way, odd)):
                moments = [getattr(event, name, None) for name in ("sent_at", "occurred_at")]
                assert all(timestamp(moment) for moment in moments if moment), (way, odd)
