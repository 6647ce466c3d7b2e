"""A channel reports on a message: each report counts once, for the try that it is about."""

import pytest

from conversations.hearing import receiving
from conversations.models import Candidate, Status
from gateway.channels.base import Receipt, ReceiptStatus
from tests.factories import NOW, make_message

LOST = Receipt("of-the-first-try", ReceiptStatus.FAILED)


@pytest.fixture
def credential(app):
    return app.credentials.get()


@pytest.fixture
def message(app, credential):
    """The channel took it for the first of the contact's two identities there."""
    message = make_message(app, status=Status.QUEUED_ON_CHANNEL, credential_id=credential.id)
    tries = [(Candidate.Verdict.TAKEN, LOST.channel_message_id), (Candidate.Verdict.WAITING, "")]
    for position, (verdict, channel_message_id) in enumerate(tries):
        Candidate.objects.create(
            app=app, message_id=message.id, accept_time=message.accept_time, position=position, level="CONTACT",
            channel="SANDBOX", identity=f"4670000001{position}", credential_id=credential.id, verdict=verdict,
            channel_message_id=channel_message_id,
        )  # fmt: skip
    return message


def tried(message):
    message.refresh_from_db()
    verdicts = Candidate.objects.filter(message_id=message.id).order_by("position")
    return message.status, message.identity, list(verdicts.values_list("verdict", flat=True))


def test_a_message_that_is_lost_goes_to_the_next_identity(credential, message):
    receiving.receive(credential, [LOST], now=NOW)

    assert tried(message) == (Status.SWITCHING_CHANNEL, "46700000011", ["REFUSED", "TRYING"])


def test_a_loss_that_is_reported_again_says_nothing_of_the_next_identity(credential, message):
    receiving.receive(credential, [LOST], now=NOW)
    receiving.receive(credential, [LOST], now=NOW)

    assert tried(message) == (Status.SWITCHING_CHANNEL, "46700000011", ["REFUSED", "TRYING"])
