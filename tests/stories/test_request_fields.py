"""Every field of a send has its effect: one story each."""

from datetime import timedelta

import pytest
from django.db.models import F

from conversations.models import Candidate, Message
from conversations.reaching import statuses
from gateway.channels.base import Channel
from outbox.draining import drain
from projects import clock
from projects.models import ProcessingMode
from tests.factories import keep_dispatched, make_app, make_contact, make_credential, path
from tests.stories.test_events import happens
from tests.stories.test_sending import send


def test_a_channel_that_does_not_report_in_time_gives_way_to_the_next(api, project, subscriber, app, settle):
    app.fallback_enabled, app.fallback_waiting_time = True, 10
    app.save()
    make_credential(app, Channel.SMS)
    contact = make_contact(project, "46700000005", (Channel.SMS, "46700000010"))  # the first never reports
    message_id = send(api, app, recipient={"contact_id": contact.id}).json()["message_id"]
    settle()

    assert statuses.fall_back(now=clock.now() + timedelta(seconds=9)) == 0
    assert statuses.fall_back(now=clock.now() + timedelta(seconds=10)) == 1
    settle()

    expected = ["QUEUED_ON_CHANNEL", "SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL", "DELIVERED"]
    assert subscriber.statuses_of(message_id) == expected
    assert Message.objects.get(pk=message_id).channel == "SMS"


def test_without_a_next_channel_a_message_waits_for_its_report(api, app, settle):
    app.fallback_enabled, app.fallback_waiting_time = True, 10
    app.save()
    send(api, app, "46700000005")
    settle()

    assert statuses.fall_back(now=clock.now() + timedelta(days=1)) == 0


def test_a_message_without_a_report_fails_after_its_ttl(api, app, subscriber, settle):
    message_id = send(api, app, "46700000005", ttl="60s").json()["message_id"]
    settle()

    assert statuses.time_out(now=clock.now() + timedelta(seconds=50)) == 0
    assert statuses.time_out(now=clock.now() + timedelta(seconds=61)) == 1
    settle()

    assert subscriber.statuses_of(message_id) == ["QUEUED_ON_CHANNEL", "FAILED"]


def test_a_message_whose_ttl_passed_while_it_waited_is_never_sent(api, app, settle):
    message_id = send(api, app, ttl="3s").json()["message_id"]
    Message.objects.filter(pk=message_id).update(expires_at=F("accept_time"))

    settle()

    assert Candidate.objects.get(message_id=message_id).verdict == Candidate.Verdict.TRYING
    assert Message.objects.get(pk=message_id).status == "ACCEPTED"


def test_high_priority_overtakes_what_waits_in_the_same_lane(api, app, subscriber, settle):
    normal = [send(api, app, f"4670000{n:02d}10").json()["message_id"] for n in range(3)]
    urgent = send(api, app, "46700000910", queue="HIGH_PRIORITY").json()["message_id"]

    settle()

    queued = [
        report["message_id"]
        for report in subscriber.got("message_delivery_report")
        if report["status"] == "QUEUED_ON_CHANNEL"
    ]
    assert queued.index(urgent) < queued.index(normal[-1])
    assert set(queued) == {urgent, *normal}


def test_a_throttled_message_is_retried_no_longer_than_the_app_says(api, app, subscriber, settle):
    app.retry_duration = 30
    app.save()
    message_id = send(api, app, "46700000006").json()["message_id"]
    Message.objects.filter(pk=message_id).update(accept_time=clock.now() - timedelta(seconds=30))

    settle()

    (report,) = (r for r in subscriber.got("message_delivery_report") if r["message_id"] == message_id)
    assert (report["status"], report["reason"]["code"]) == ("FAILED", "RATE_LIMITED")


def test_dispatch_only_sends_past_the_contacts(api, project, app, subscriber, settle):
    message_id = send(api, app, processing_strategy="DISPATCH_ONLY").json()["message_id"]
    settle()

    (submitted,) = subscriber.got("message_submit_notification")
    assert (submitted["contact_id"], submitted["conversation_id"]) == ("", "")
    assert submitted["processing_mode"] == "DISPATCH"
    assert subscriber.statuses_of(message_id)[-1] == "DELIVERED"
    assert not project.contacts.exists()


def test_correlation_and_conversation_metadata_stay_until_replaced(api, project, settle, subscriber, app):
    app.conversation_metadata_report_view = "FULL"
    app.save()
    send(api, app, "46700000008", correlation_id="c-1", conversation_metadata={"a": 1, "b": 2})
    settle()
    patch = {"conversation_metadata": {"b": None}, "conversation_metadata_update_strategy": "MERGE_PATCH"}
    send(api, app, "46700000008", **patch)
    settle()

    first, second = (body for body in subscriber.bodies if "message" in body)
    assert (first["correlation_id"], first["message_metadata"]) == ("c-1", '{"a":1,"b":2}')
    assert (second["correlation_id"], second["message_metadata"]) == ("c-1", '{"a":1}')


def test_a_message_that_has_no_route_carries_them_too(api, settle, subscriber, app):
    send(api, app, correlation_id="c-1")
    send(api, app, channel_priority_order=["SMS"])
    settle()

    assert {body["correlation_id"] for body in subscriber.bodies if "message_delivery_report" in body} == {
        "c-1"
    }


@pytest.mark.parametrize("strategy", ["DEFAULT", "DISPATCH_ONLY"])
def test_metadata_that_merging_makes_too_long_is_refused_and_nothing_is_sent(api, app, strategy):
    keep_dispatched(app)
    told = {"processing_strategy": strategy, "conversation_metadata_update_strategy": "MERGE_PATCH"}
    fits = send(api, app, **told, conversation_metadata={"a": "x" * 2000})

    answer = send(api, app, **told, conversation_metadata={"b": "x" * 2000})

    assert (fits.status_code, answer.status_code) == (200, 400)
    assert answer.json()["error"]["details"][0]["fieldViolations"][0]["field"] == "conversation_metadata"
    assert Message.objects.count() == 1


@pytest.fixture
def dispatching(app):
    app.processing_mode, app.conversation_metadata_report_view = ProcessingMode.DISPATCH, "FULL"
    app.save()
    return app


def test_where_messages_are_dispatched_they_stay_with_the_identity(
    client, api, dispatching, settle, subscriber
):
    keep_dispatched(dispatching)
    send(api, dispatching, "46700000008", correlation_id="c-1", conversation_metadata={"a": 1, "b": 2})
    settle()
    patch = {"conversation_metadata": {"b": None}, "conversation_metadata_update_strategy": "MERGE_PATCH"}
    send(api, dispatching, "46700000008", **patch)
    settle()
    happens(client, dispatching, "46700000008")
    happens(client, dispatching, "46700000018")
    settle()

    first, second = (body for body in subscriber.bodies if "message" in body)
    known, unknown = (body for body in subscriber.bodies if "event" in body)
    assert (first["correlation_id"], first["message_metadata"]) == ("c-1", '{"a":1,"b":2}')
    for told in (second, known):
        assert (told["correlation_id"], told["message_metadata"]) == ("c-1", '{"a":1}')
    assert (unknown["correlation_id"], unknown["message_metadata"]) == ("", "")
    reports = [body for body in subscriber.bodies if "message_delivery_report" in body]
    assert {report["correlation_id"] for report in reports} == {"c-1"}


def test_where_no_dispatched_messages_are_kept_neither_is_kept(api, dispatching, settle, subscriber):
    send(api, dispatching, "46700000008", correlation_id="c-1", conversation_metadata={"a": 1})
    settle()

    (answer,) = (body for body in subscriber.bodies if "message" in body)
    assert (answer["correlation_id"], answer["message_metadata"]) == ("", "")


def test_the_messages_own_order_of_channels_decides(api, project, app, subscriber, settle):
    make_credential(app, Channel.SMS)
    contact = make_contact(project, "46700000010", (Channel.SMS, "46700000010"))

    send(api, app, recipient={"contact_id": contact.id}, channel_priority_order=["SMS"])
    settle()

    (submitted,) = subscriber.got("message_submit_notification")
    assert submitted["channel_identity"]["channel"] == "SMS"
    assert Candidate.objects.count() == 1


def test_nothing_is_sent_by_an_app_that_is_deleted(api, project, settle):
    app = make_app(project)
    send(api, app)
    assert api.delete(path(project, f"apps/{app.id}")).status_code == 200

    assert drain(horizon=timedelta(minutes=1)) == 0
