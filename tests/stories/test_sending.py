"""A client sends; the sandbox plays the channel; the subscriber hears of it."""

import pytest

from conversations.models import Candidate, Message
from gateway.channels.base import Channel
from projects.models import ProcessingMode
from tests.factories import keep_dispatched, make_app, make_contact, make_credential, path


def send(api, app, number="46700000010", **fields):
    identities = [{"channel": "SANDBOX", "identity": number}]
    body = {
        "app_id": app.id,
        "recipient": {"identified_by": {"channel_identities": identities}},
        "message": {"text_message": {"text": "hello"}},
    } | fields
    return api.post(path(app.project, "messages:send"), body, format="json")


def test_a_sent_message_is_submitted_queued_and_delivered_in_signed_callbacks(api, app, subscriber, settle):
    answer = send(api, app, message_metadata="order-7", correlation_id="c-1")
    settle()

    assert answer.status_code == 200
    message_id = answer.json()["message_id"]
    (submitted,) = subscriber.got("message_submit_notification")
    assert submitted["message_id"] == message_id
    assert submitted["submitted_message"] == {"text_message": {"text": "hello"}}
    assert submitted["channel_identity"] == {"channel": "SANDBOX", "identity": "46700000010", "app_id": ""}
    assert subscriber.statuses_of(message_id) == ["QUEUED_ON_CHANNEL", "DELIVERED"]
    assert subscriber.all_signed
    envelope = next(body for body in subscriber.bodies if "message_submit_notification" in body)
    assert envelope["accepted_time"] == answer.json()["accepted_time"]
    assert (envelope["message_metadata"], envelope["correlation_id"]) == ("order-7", "c-1")


@pytest.mark.parametrize(
    ("ending", "statuses"),
    [
        ("01", ["QUEUED_ON_CHANNEL", "DELIVERED"]),
        ("02", ["QUEUED_ON_CHANNEL", "DELIVERED", "READ"]),
        ("03", ["FAILED"]),
        ("04", ["QUEUED_ON_CHANNEL", "FAILED"]),
        ("05", ["QUEUED_ON_CHANNEL"]),
        ("06", ["QUEUED_ON_CHANNEL", "DELIVERED"]),
        ("07", ["FAILED"]),
        ("08", ["QUEUED_ON_CHANNEL", "DELIVERED"]),
    ],
)
def test_the_last_two_digits_choose_what_happens(api, app, subscriber, settle, ending, statuses):
    message_id = send(api, app, f"467000000{ending}").json()["message_id"]

    settle()

    assert subscriber.statuses_of(message_id) == statuses


def test_a_contact_that_answers_arrives_as_an_inbound_message_in_the_same_conversation(
    api, app, subscriber, settle
):
    send(api, app, "46700000008")

    settle()

    (submitted,) = subscriber.got("message_submit_notification")
    (inbound,) = subscriber.got("message")
    assert inbound["direction"] == "TO_APP"
    assert inbound["contact_message"]["text_message"]["text"]
    assert inbound["conversation_id"] == submitted["conversation_id"]
    assert inbound["contact_id"] == submitted["contact_id"]


def test_a_contact_that_opts_out_is_listed_and_not_written_to_again(api, app, subscriber, settle):
    send(api, app, "46700000007")
    settle()

    second = send(api, app, "46700000007").json()["message_id"]
    settle()

    (opt_out,) = subscriber.got("opt_out_notification")
    assert (opt_out["identity"], opt_out["status"]) == ("46700000007", "OPT_OUT_SUCCEEDED")
    assert Candidate.objects.get(message_id=second).verdict == Candidate.Verdict.OPTED_OUT
    assert subscriber.statuses_of(second) == ["FAILED"]


def test_an_unreachable_channel_hands_over_to_the_next_and_the_trace_says_why(
    api, project, subscriber, app, settle
):
    make_credential(app, Channel.SMS)
    contact = make_contact(project, "46700000003", (Channel.SMS, "46700000010"))

    message_id = send(api, app, recipient={"contact_id": contact.id}).json()["message_id"]
    settle()

    assert subscriber.statuses_of(message_id) == ["SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL", "DELIVERED"]
    first, second = Candidate.objects.filter(message_id=message_id).order_by("position")
    assert (first.channel, first.verdict) == ("SANDBOX", Candidate.Verdict.REFUSED)
    assert first.reason["code"] == "RECIPIENT_NOT_REACHABLE"
    assert (second.channel, second.verdict) == ("SMS", Candidate.Verdict.TAKEN)
    assert Message.objects.get(pk=message_id).channel == "SMS"


def test_a_channel_without_a_credential_is_accepted_and_then_fails(api, project, subscriber, app, settle):
    contact = make_contact(project, (Channel.SMS, "46700000010"))

    answer = send(api, app, recipient={"contact_id": contact.id})
    settle()

    assert answer.status_code == 200
    (report,) = subscriber.got("message_delivery_report")
    assert (report["status"], report["reason"]["code"]) == ("FAILED", "CHANNEL_CONFIGURATION_MISSING")
    (submitted,) = subscriber.got("message_submit_notification")
    assert submitted["channel_identity"] is None


def test_a_message_is_read_back_as_it_was_sent(api, app, settle):
    message_id = send(api, app, message_metadata="m").json()["message_id"]
    settle()

    message = api.get(path(app.project, f"messages/{message_id}")).json()

    assert message["app_message"] == {"text_message": {"text": "hello"}}
    assert (message["direction"], message["metadata"]) == ("TO_CONTACT", "m")
    assert message["message_status"]["status"] == "DELIVERED"


def test_two_sends_to_a_new_number_make_one_contact_and_one_conversation(api, app, subscriber, settle):
    send(api, app)
    send(api, app)
    settle()

    first, second = subscriber.got("message_submit_notification")
    assert first["contact_id"] == second["contact_id"]
    assert first["conversation_id"] == second["conversation_id"]
    assert len(subscriber.got("contact_create_notification")) == 1
    assert len(subscriber.got("conversation_start_notification")) == 1


def test_a_dispatched_message_belongs_to_no_contact_and_no_conversation(api, project, settle):
    app = make_app(project, processing_mode=ProcessingMode.DISPATCH)
    keep_dispatched(app)

    message_id = send(api, app).json()["message_id"]
    settle()

    found = api.get(path(project, f"messages/{message_id}?messages_source=DISPATCH_SOURCE")).json()
    assert (found["contact_id"], found["conversation_id"]) == ("", "")
    assert found["message_status"]["status"] == "DELIVERED"
    assert api.get(path(project, f"messages/{message_id}")).status_code == 404


def test_under_a_ttl_of_0_days_a_dispatched_message_is_delivered_and_cannot_be_read(
    api, project, subscriber, app, settle
):
    message_id = send(api, app, processing_strategy="DISPATCH_ONLY").json()["message_id"]
    settle()

    url = path(project, f"messages/{message_id}?messages_source=DISPATCH_SOURCE")
    assert subscriber.statuses_of(message_id) == ["QUEUED_ON_CHANNEL", "DELIVERED"]
    assert api.get(url).status_code == 404
    assert api.get(path(project, "messages?messages_source=DISPATCH_SOURCE")).json()["messages"] == []


def test_a_subscriber_that_fails_gets_the_very_same_body_again(api, app, subscriber, settle):
    subscriber.statuses = [500]

    send(api, app)
    settle()

    assert subscriber.raw.count(subscriber.raw[0]) == 2


def test_a_credential_that_is_removed_while_a_message_waits_hands_it_to_the_next_channel(
    api, project, subscriber, app, settle
):
    make_credential(app, Channel.SMS)
    contact = make_contact(project, "46700000010", (Channel.SMS, "46700000010"))
    message_id = send(api, app, recipient={"contact_id": contact.id}).json()["message_id"]

    app.credentials.get(channel=Channel.SANDBOX).delete()
    settle()

    assert subscriber.statuses_of(message_id) == ["SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL", "DELIVERED"]
