"""What an adapter cannot do costs the message that needs it, and no other."""

from typing import Any

from conversations.models import Message
from gateway.channels import ADAPTERS
from gateway.channels.base import Channel
from tests.factories import make_credential
from tests.stories.test_sending import send

UNLUCKY = "46700000999"


class Broken:
    """The sandbox with a mistake: it cannot write to one person."""

    def __init__(self, adapter: Any) -> None:
        self.adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self.adapter, name)

    def build(self, message: Any, credential: Any, attempt: int) -> Any:
        if message.identity == UNLUCKY:
            raise KeyError("the adapter's mistake")
        return self.adapter.build(message, credential, attempt)


def test_an_adapters_mistake_costs_one_message_and_not_the_lane(api, app, settle, monkeypatch):
    monkeypatch.setitem(ADAPTERS, Channel.SANDBOX, Broken(ADAPTERS[Channel.SANDBOX]))
    bad = send(api, app, UNLUCKY).json()["message_id"]
    good = send(api, app).json()["message_id"]

    settle()

    failed = Message.objects.get(pk=bad)
    assert (failed.status, failed.reason["code"]) == ("FAILED", "INTERNAL_ERROR")
    assert Message.objects.get(pk=good).status == "DELIVERED"


def test_a_message_that_waits_while_its_channel_leaves_the_sandbox_fails_and_says_why(
    api, app, settle, settings
):
    make_credential(app, Channel.RCS)
    given = {"channel_identities": [{"channel": "RCS", "identity": "46700000010"}]}
    message_id = send(api, app, recipient={"identified_by": given}).json()["message_id"]

    settings.CHANNELS_SANDBOXED = frozenset()
    settle()

    message = Message.objects.get(pk=message_id)
    assert (message.status, message.reason["code"]) == ("FAILED", "CHANNEL_CONFIGURATION_MISSING")
