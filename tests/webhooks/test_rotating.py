"""Rotating a webhook's secret: whoever holds the old or the new one can check every delivery meanwhile."""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from standardwebhooks import Webhook as StandardWebhook

from outbox.draining import drain
from projects import clock
from tests.factories import make_webhook
from tests.webhooks.tokens import publish
from webhooks import rotating, subscribing
from webhooks.delivering import keyrings
from webhooks.models import Attempt, RetiredSecret, Webhook
from webhooks.tasks import forget_old_events

with warnings.catch_warnings():  # an escape in a docstring of the client warns where it is compiled
    warnings.simplefilter("ignore")
    from sinch.domains.conversation.sinch_events.v1 import ConversationSinchEvent

OLD, NEW, NEWEST = (
    "whsec_" + text
    for text in ("b2xkLW9sZC1vbGQtb2xkLW9sZA==", "bmV3LW5ldy1uZXctbmV3LW5ldw==", "bmV3ZXN0LW5ld2VzdC1uZXc=")
)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def webhook(app, hook) -> Webhook:
    return make_webhook(app, hook(), secret=OLD)


def delivered(app, httpserver) -> Any:
    """The request of an event that is published now."""
    publish(app)
    drain()
    return httpserver.log[-1][0]


def known_by(request: Any) -> tuple[list[str], list[str]]:
    """Which secrets the official client accepts, and which the standard library of Standard Webhooks."""
    headers, body = dict(request.headers), request.get_data()
    return (
        [
            secret
            for secret in (OLD, NEW, NEWEST)
            if ConversationSinchEvent(secret).validate_authentication_header(headers, body)
        ],
        [secret for secret in (OLD, NEW, NEWEST) if _is_standard(headers, body, secret)],
    )


def _is_standard(headers: dict[str, str], body: bytes, secret: str) -> bool:
    try:
        StandardWebhook(secret).verify(body, headers)
    except Exception:
        return False
    return True


def test_during_the_overlap_both_secrets_prove_the_sender(app, webhook, httpserver):
    rotating.rotate(webhook, new_secret=NEW, now=clock.now())

    official, standard = known_by(delivered(app, httpserver))

    assert official == [OLD]
    assert standard == [OLD, NEW]
    assert Attempt.objects.get().signed_with == "2, 1"


def test_the_single_signature_moves_to_the_new_secret_when_it_is_flipped(app, webhook, httpserver):
    rotating.rotate(webhook, new_secret=NEW, now=clock.now())

    rotating.flip(webhook)

    assert known_by(delivered(app, httpserver)) == ([NEW], [OLD, NEW])


def test_after_the_overlap_the_new_secret_is_all_there_is(app, webhook, httpserver):
    rotating.rotate(webhook, new_secret=NEW, overlap=DAY, now=clock.now() - DAY - SECOND)

    assert known_by(delivered(app, httpserver)) == ([NEW], [NEW])


def test_two_rotations_in_a_row_leave_three_secrets_the_oldest_in_the_lead(app, webhook, httpserver):
    rotating.rotate(webhook, new_secret=NEW, now=clock.now())
    rotating.rotate(webhook, new_secret=NEWEST, now=clock.now())

    request = delivered(app, httpserver)

    assert known_by(request) == ([OLD], [OLD, NEW, NEWEST])
    first, *_ = request.headers["webhook-signature"].split()
    assert _is_standard(dict(request.headers) | {"webhook-signature": first}, request.get_data(), NEWEST)


def test_a_fourth_secret_waits_but_an_emergency_does_not(webhook):
    now = clock.now()
    rotating.rotate(webhook, new_secret=NEW, now=now)
    rotating.rotate(webhook, new_secret=NEWEST, now=now)

    with pytest.raises(ValidationError, match="3 secrets are live"):
        rotating.rotate(webhook, now=now)
    rotating.rotate(webhook, overlap=rotating.NO_OVERLAP, now=now)

    assert not RetiredSecret.objects.exists()
    assert webhook.secret not in (OLD, NEW, NEWEST)
    assert webhook.secret_number == 4


def test_a_secret_set_as_ever_replaces_all_others_at_once(app, webhook, httpserver):
    rotating.rotate(webhook, new_secret=NEW, now=clock.now())

    subscribing.change(webhook, secret=NEWEST)

    assert known_by(delivered(app, httpserver)) == ([NEWEST], [NEWEST])
    assert Attempt.objects.get().signed_with == "3"


def test_a_webhook_without_a_secret_gets_its_first_one(app, hook, httpserver):
    webhook = make_webhook(app, hook(), secret="")

    rotating.rotate(webhook, new_secret=NEW, now=clock.now())

    assert known_by(delivered(app, httpserver)) == ([NEW], [NEW])


def test_a_secret_that_is_made_up_works_with_both_families(app, webhook, httpserver):
    rotating.rotate(webhook, overlap=rotating.NO_OVERLAP, now=clock.now())

    request = delivered(app, httpserver)

    headers, body = dict(request.headers), request.get_data()
    assert webhook.secret.startswith("whsec_")
    assert ConversationSinchEvent(webhook.secret).validate_authentication_header(headers, body)
    assert _is_standard(headers, body, webhook.secret)


@pytest.mark.parametrize(
    "wish",
    [
        {"overlap": timedelta(days=7, seconds=1)},
        {"overlap": -SECOND},
        {"new_secret": ""},
        {"new_secret": OLD},
        {"new_secret": "****QQ=="},
    ],
)
def test_what_is_no_rotation_is_refused(webhook, wish):
    with pytest.raises(ValidationError):
        rotating.rotate(webhook, **wish, now=clock.now())

    webhook.refresh_from_db()
    assert (webhook.secret, webhook.secret_number) == (OLD, 1)


def test_loading_the_keys_takes_one_query_more_and_only_during_an_overlap(
    app, webhook, django_assert_num_queries
):
    webhooks = [webhook, *(make_webhook(app, f"https://{number}.example/") for number in range(3))]
    with django_assert_num_queries(0):
        keyrings.of_webhooks(webhooks)
    for one in webhooks:
        rotating.rotate(one, now=clock.now())

    with django_assert_num_queries(1):
        keyrings_of = keyrings.of_webhooks(webhooks)

    assert {keyring.numbers for keyring in keyrings_of.values()} == {"2, 1"}


def test_secrets_are_deleted_when_their_time_is_over(app, webhook):
    other = make_webhook(app, "https://other.example/", secret=OLD)
    rotating.rotate(webhook, overlap=DAY, now=clock.now() - DAY - SECOND)
    rotating.rotate(other, overlap=DAY, now=clock.now())

    forget_old_events()

    assert RetiredSecret.objects.get().webhook == other
    assert Webhook.objects.get(overlap_ends_at=None) == webhook
