"""What only some adapters can: each that says so keeps to it, whatever its provider answers."""

import pytest

from gateway.channels import ADAPTERS
from gateway.channels.abilities import (
    CapabilityStatus,
    CarriesEvents,
    OutboundEvent,
    TellsCapability,
    TellsProfile,
)
from gateway.http import Request
from tests.gateway.channels.contract import ANSWERS, MESSAGE_ID, credential_for, identity_for


def who_can(ability):
    return [(channel, adapter) for channel, adapter in ADAPTERS.items() if isinstance(adapter, ability)]


@pytest.mark.parametrize(("channel", "adapter"), who_can(CarriesEvents))
def test_the_same_try_of_an_event_is_the_same_request(channel, adapter):
    event = OutboundEvent(MESSAGE_ID, identity_for(channel), {"composing_event": {}})
    credential = credential_for(channel, adapter)

    assert adapter.build_event(event, credential, 2) == adapter.build_event(event, credential, 2)


@pytest.mark.parametrize(("channel", "adapter"), who_can(TellsCapability))
def test_any_answer_says_something_about_capability(channel, adapter):
    question = adapter.ask_capability(identity_for(channel), credential_for(channel, adapter))

    assert isinstance(question, Request)
    assert all(adapter.read_capability(answer).status in CapabilityStatus for answer in ANSWERS)


@pytest.mark.parametrize(("channel", "adapter"), who_can(TellsProfile))
def test_an_answer_without_a_name_tells_none(channel, adapter):
    question = adapter.ask_profile(identity_for(channel), credential_for(channel, adapter))

    assert isinstance(question, Request)
    assert {adapter.read_profile(answer) for answer in ANSWERS} == {""}
