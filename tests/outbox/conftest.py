from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from outbox import kinds
from outbox.kinds import Kind
from tests.outbox.parcels import Parcels
from tests.outbox.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def register() -> Iterator[Callable[[Kind], None]]:
    """Registers kinds for the time of the test, and no others."""
    before = dict(kinds.registered())
    for name in before:
        kinds.unregister(name)
    yield kinds.register
    for name in kinds.registered():
        kinds.unregister(name)
    for kind in before.values():
        kinds.register(kind)


@pytest.fixture
def parcels(receiver, register) -> Parcels:
    parcels = Parcels(receiver.url)
    register(parcels)
    return parcels
