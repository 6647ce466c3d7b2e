"""A status moves forward only, and what nobody reports on fails in time."""

from datetime import timedelta

import pytest

from conversations.models import Message, Receipt, Status
from conversations.reaching import statuses
from tests.factories import NOW, make_message


@pytest.fixture
def message(app):
    return make_message(app, status=Status.QUEUED_ON_CHANNEL, expires_at=NOW + timedelta(seconds=3))


@pytest.mark.parametrize(
    ("before", "after", "moves"),
    [
        (Status.ACCEPTED, Status.QUEUED_ON_CHANNEL, True),
        (Status.QUEUED_ON_CHANNEL, Status.DELIVERED, True),
        (Status.QUEUED_ON_CHANNEL, Status.READ, True),
        (Status.DELIVERED, Status.READ, True),
        (Status.DELIVERED, Status.QUEUED_ON_CHANNEL, False),
        (Status.DELIVERED, Status.DELIVERED, False),
        (Status.DELIVERED, Status.FAILED, False),
        (Status.READ, Status.DELIVERED, False),
        (Status.FAILED, Status.DELIVERED, False),
    ],
)
def test_a_status_moves_forward_only(app, before, after, moves):
    message = make_message(app, status=before)

    assert statuses.settle(message, after, now=NOW) is moves
    message.refresh_from_db()
    assert message.status == (after if moves else before)
    assert Receipt.objects.filter(message_id=message.id).count() == int(moves)


def test_a_message_that_nobody_reports_on_fails_when_its_ttl_has_passed(message):
    assert statuses.time_out(now=NOW + timedelta(seconds=3)) == 1

    message.refresh_from_db()
    assert (message.status, message.reason["code"]) == (Status.FAILED, "DELIVERY_TIMED_OUT")


def test_a_message_whose_ttl_has_not_passed_waits(message):
    assert statuses.time_out(now=NOW + timedelta(seconds=3) - timedelta(microseconds=1)) == 0


def test_a_message_that_was_delivered_does_not_time_out(message):
    Message.objects.filter(pk=message.pk).update(status=Status.DELIVERED)

    assert statuses.time_out(now=NOW + timedelta(days=3)) == 0
