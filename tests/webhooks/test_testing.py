from __future__ import annotations

import json
import warnings
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from gateway import signing
from outbox.models import Lane
from projects import clock, ids
from tests.factories import make_webhook
from webhooks.models import Attempt, Event
from webhooks.publishing import WEBHOOK
from webhooks.triggers import BODY_KEYS, Trigger
from webhooks.trying import samples, testing, verifying

with warnings.catch_warnings():  # an escape in a docstring of the client warns where it is compiled
    warnings.simplefilter("ignore")
    from sinch.domains.conversation.sinch_events.v1 import ConversationSinchEvent

SECRET = "a-webhook-secret"
BODY = b'{"a":1}'


def test_a_test_event_is_signed_as_any_other(app, hook, httpserver):
    webhook = make_webhook(app, hook(), secret=SECRET)

    trial = testing.send(webhook, Trigger.MESSAGE_INBOUND, now=clock.now())

    ((request, _),) = httpserver.log
    headers = dict(request.headers)
    assert trial.is_success
    assert ConversationSinchEvent(SECRET).validate_authentication_header(headers, request.get_data())
    assert trial.findings
    assert all(finding.is_valid for finding in trial.findings)
    assert request.get_data() == trial.request.body


@pytest.mark.parametrize("trigger", samples.TRIGGERS)
def test_the_official_client_understands_every_sample(app, trigger):
    body = samples.body(make_webhook(app), trigger, now=clock.now())

    event = ConversationSinchEvent(SECRET).parse_event(body)

    assert event.project_id == str(app.project_id)
    assert getattr(event, BODY_KEYS[trigger]) is not None


def test_a_contact_s_sample_names_no_app_and_a_message_s_names_it(app):
    webhook, now = make_webhook(app), clock.now()

    of_contact = json.loads(samples.body(webhook, Trigger.CONTACT_UPDATE, now=now))
    of_message = json.loads(samples.body(webhook, Trigger.MESSAGE_DELIVERY, now=now))

    assert (of_contact["app_id"], of_message["app_id"]) == ("", app.id)


def test_it_is_in_no_log(app, hook):
    testing.send(make_webhook(app, hook(500)), Trigger.OPT_IN, now=clock.now())

    assert not Attempt.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize(("status", "is_called"), [(204, True), (500, False)])
def test_success_enables_a_webhook_again_and_failure_does_not(app, hook, status, is_called):
    webhook = make_webhook(app, hook(status), disabled_at=clock.now(), disabled_reason="HTTP 410")

    trial = testing.send(webhook, Trigger.OPT_IN, now=clock.now())

    webhook.refresh_from_db()
    assert (webhook.disabled_at is None) == is_called
    assert trial.has_enabled == is_called


@pytest.mark.parametrize(("status", "rests"), [(204, False), (500, True)])
def test_success_ends_the_rest_of_a_webhook_and_failure_does_not(app, hook, status, rests):
    webhook = make_webhook(app, hook(status))
    Lane.objects.create(
        kind=WEBHOOK, owner=ids.to_uuid(webhook.id), trips=3, paused_until=clock.now() + timedelta(hours=6)
    )

    testing.send(webhook, Trigger.OPT_IN, now=clock.now())

    assert (Lane.objects.get().paused_until is not None) == rests


def test_an_address_that_may_not_be_called_is_not_called(app, settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = []

    trial = testing.send(make_webhook(app, "https://127.0.0.1/hook"), Trigger.OPT_IN, now=clock.now())

    assert (trial.is_success, trial.response.error) == (False, "forbidden")


def test_a_token_is_fetched_and_never_shown(app, hook, endpoint, subscribe, httpserver):
    webhook = subscribe(hook())

    trial = testing.send(webhook, Trigger.OPT_IN, now=clock.now())

    request = httpserver.log[-1][0]
    assert request.headers["Authorization"].startswith("Bearer ")
    assert trial.headers["Authorization"] == "Bearer ****"


def test_nothing_is_sent_where_events_are_dismissed_or_never_fired(app, hook):
    dismissing = make_webhook(app, hook(), target_type="DISMISS")

    with pytest.raises(ValidationError, match="DISMISS"):
        testing.send(dismissing, Trigger.OPT_IN, now=clock.now())
    with pytest.raises(ValidationError, match="never fired"):
        testing.send(make_webhook(app), Trigger.RECORD_NOTIFICATION, now=clock.now())


def test_the_time_is_told_by_phase(app, hook):
    trial = testing.send(make_webhook(app, hook()), Trigger.OPT_IN, now=clock.now())

    phases = testing.phases(trial.response.timings)

    assert set(phases) <= {"Name", "Connection", "TLS", "First byte", "Rest"}
    assert "First byte" in phases
    assert abs(sum(phases.values()) - trial.response.timings.total * 1000) <= len(phases)


CONTRACT = signing.headers(BODY, SECRET, nonce="n0nce", timestamp=1_790_000_000)
STANDARD = signing.standard_headers(BODY, [SECRET], message_id="msg_1", timestamp=1_790_000_000)


@pytest.mark.parametrize("headers", [CONTRACT, STANDARD])
@pytest.mark.parametrize(
    ("body", "secrets", "is_valid", "said"),
    [
        (BODY, [SECRET], True, "present secret"),
        (BODY, ["a-newer-one", SECRET], True, "former secret"),
        (BODY, ["another"], False, "It does not fit"),
        (b"{}", [SECRET], False, "It does not fit"),
        (BODY + b"\n", [SECRET], False, "had no white space"),
        (json.dumps(json.loads(BODY), indent=1).encode(), [SECRET], False, "was compact JSON"),
    ],
)
def test_a_check_says_whether_a_signature_fits_and_what_was_changed(headers, body, secrets, is_valid, said):
    (finding,) = verifying.check(headers, body, secrets)

    assert (finding.is_valid, said in finding.said) == (is_valid, True)
    assert SECRET not in repr(finding)


@pytest.mark.parametrize(
    ("headers", "change", "said"),
    [
        (CONTRACT, {signing.NONCE: ""}, "Missing: x-sinch-webhook-signature-nonce."),
        (CONTRACT, {signing.TIMESTAMP: "now"}, "Unix seconds"),
        (CONTRACT, {signing.TIMESTAMP: "²"}, "Unix seconds"),
        (CONTRACT, {signing.SIGNATURE: "abc="}, "no base64 of 32 bytes"),
        (CONTRACT, {signing.ALGORITHM: "md5"}, "HmacSHA256"),
        (STANDARD, {signing.STANDARD_ID: ""}, "Missing: webhook-id."),
        (STANDARD, {signing.STANDARD_TIMESTAMP: "now"}, "Unix seconds"),
        (STANDARD, {signing.STANDARD_TIMESTAMP: "9" * 5000}, "Unix seconds"),
        (STANDARD, {signing.STANDARD_SIGNATURE: "v1,abc="}, "no signature"),
    ],
)
def test_a_check_says_which_header_is_wrong(headers, change, said):
    (finding,) = verifying.check(headers | change, BODY, [SECRET])

    assert not finding.is_valid
    assert said in finding.said


def test_headers_are_read_as_logs_and_curl_print_them():
    text = "> X-Sinch-Webhook-Signature: a=b:c\r\nnonsense\n  webhook-id:  1 "

    assert verifying.parsed(text) == {"x-sinch-webhook-signature": "a=b:c", "webhook-id": "1"}
