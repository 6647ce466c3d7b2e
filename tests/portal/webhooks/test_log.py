"""The pages of a webhook that tell of its deliveries: the log, and each delivery."""

from __future__ import annotations

import pytest

from tests import factories
from tests.portal.webhooks.deliveries import SECRET, make_event, page, read, try_
from webhooks.models import Event
from webhooks.triggers import Trigger

pytestmark = pytest.mark.django_db


def test_the_log_lists_tries_and_what_filters_leave_of_them(client, app, webhook):
    taken, refused = make_event(app), make_event(app, Trigger.OPT_IN)
    try_(webhook, taken)
    try_(webhook, refused, result="GIVEN_UP", status_code=404)

    everything = read(client, page(webhook, "log"))
    filtered = [
        read(client, page(webhook, "log"), **query)
        for query in (
            {"trigger": "OPT_IN"},
            {"result": "GIVEN_UP"},
            {"status_class": "4xx"},
            {"event_id": refused.pk},
        )
    ]

    assert taken.pk in everything
    assert refused.pk in everything
    assert [(refused.pk in one, taken.pk in one) for one in filtered] == [(True, False)] * 4


def test_the_log_goes_on_where_its_page_ended_and_ignores_a_place_that_is_none(client, app, webhook):
    events = [make_event(app) for _ in range(51)]
    for event in events:
        try_(webhook, event)

    first = client.get(page(webhook, "log"))
    second = client.get(f"{page(webhook, 'log')}?{first.context['older']}")

    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 1)
    assert client.get(page(webhook, "log"), {"page": "nonsense"}).status_code == 302


@pytest.mark.parametrize("number", [2, 9])
def test_the_log_asks_as_many_questions_whatever_its_length(
    client, app, webhook, number, django_assert_max_num_queries
):
    for _ in range(number):
        try_(webhook, make_event(app))

    with django_assert_max_num_queries(11):
        client.get(page(webhook, "log"))


def test_a_delivery_is_shown_with_the_request_and_every_answer(client, app, webhook):
    event = make_event(app)
    answer = {"response_headers": b"retry-after: 7", "response_body": b"too <b>busy</b>"}
    try_(
        webhook, event, result="RETRYING", status_code=503, phases_ms=[1, 3, 9, 20], duration_ms=25, **answer
    )

    shown = read(client, page(webhook, "delivery", event.pk))

    assert "what was said" in shown
    assert "HTTP 503" in shown
    assert "too &lt;b&gt;busy" in shown
    assert "retry-after: 7" in shown
    assert "name 1 ms, connection 2 ms, tls 6 ms, first byte 11 ms, rest 5 ms<" in shown
    assert SECRET not in shown


def test_a_body_that_was_purged_is_said_to_be(client, app, webhook):
    event = make_event(app)
    try_(webhook, event)
    Event.objects.filter(pk=event.pk).delete()

    assert "The body was purged" in read(client, page(webhook, "delivery", event.pk))


def test_a_delivery_of_another_webhook_is_none_of_this_one(client, app, webhook):
    other = factories.make_webhook(app, "https://other.example/")
    event = make_event(app)
    try_(other, event)

    assert client.get(page(webhook, "delivery", event.pk)).status_code == 302
