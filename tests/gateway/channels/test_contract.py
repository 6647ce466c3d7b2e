from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.channels import ADAPTERS
from gateway.channels.base import Adapter, Channel
from tests.gateway.channels.contract import PROMISES


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("channel", ADAPTERS, ids=str)
def test_every_adapter_keeps_its_promises(channel: Channel, promise: Callable[[Channel, Adapter], None]):
    promise(channel, ADAPTERS[channel])
