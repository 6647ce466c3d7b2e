"""A provider on loopback: what an app says to it, what it reports, and what its contacts write."""

import json
from datetime import timedelta
from typing import Any

import pytest
from werkzeug import Response

from conversations.composing.templating import Wording
from conversations.models import Candidate, Message
from gateway import signing
from gateway.channels.base import Channel
from outbox.draining import drain
from tests.factories import make_app, make_contact, make_credential, make_template, path
from tests.stories.providers import CHAT, PHONE, Provider, call_back, from_person, refusing, report, update

SECRET = "a-callback-secret"


@pytest.fixture
def xms(httpserver) -> Provider:
    provider = Provider(lambda number: {"id": f"batch-{number}", "body": "ж" * 2000, "canceled": False})
    httpserver.expect_request("/xms/v1/plan/batches").respond_with_handler(provider.take)
    return provider


@pytest.fixture
def telegram(httpserver) -> Provider:
    provider = Provider(
        lambda number: {"ok": True, "result": {"message_id": number, "chat": {"id": int(CHAT)}, "date": 1}}
    )
    for method in ("sendMessage", "sendPhoto"):
        httpserver.expect_request(f"/bot1:t/{method}").respond_with_handler(provider.take)
    return provider


@pytest.fixture(autouse=True)
def providers(settings, httpserver, xms, telegram) -> None:
    """Nothing is simulated; both providers are on this machine."""
    settings.CHANNELS_SANDBOXED = frozenset()
    settings.CHANNEL_BASE_URLS = dict.fromkeys(["SMS", "TELEGRAM"], httpserver.url_for("/"))


@pytest.fixture
def app(project):
    """An app that tries Telegram first, then SMS."""
    app = make_app(project, channels=[])
    make_credential(
        app,
        Channel.TELEGRAM,
        key="telegram_credentials",
        values={"token": "1:t"},
        callback_secret=SECRET,
    )
    make_credential(app, Channel.SMS, values={"claimed_identity": "plan", "token": "t0ken"})
    return app


@pytest.fixture
def sms(app):
    return app.credentials.get(channel=Channel.SMS)


@pytest.fixture
def bot(app):
    return app.credentials.get(channel=Channel.TELEGRAM)


def send(api, app, *channels: Channel, **fields: Any) -> str:
    identities = {Channel.SMS: PHONE, Channel.TELEGRAM: CHAT}
    given = [{"channel": channel, "identity": identities[channel]} for channel in channels]
    body = {
        "app_id": app.id,
        "recipient": {"identified_by": {"channel_identities": given}},
        "message": {"text_message": {"text": "hello"}},
    } | fields
    answer = api.post(path(app.project, "messages:send"), body, format="json")
    assert answer.status_code == 200, answer.content
    return str(answer.json()["message_id"])


def test_an_sms_is_a_batch_and_its_report_settles_the_message(api, app, subscriber, settle, client, xms, sms):
    message_id = send(api, app, Channel.SMS, channel_properties={"SMS_SENDER": "Shop"})
    settle()
    call_back(client, sms, report(message_id, "Dispatched", 401))
    call_back(client, sms, report(message_id, "Delivered", 0))
    settle()

    ((asked_path, batch),) = xms.asked
    assert (asked_path, xms.tokens) == ("/xms/v1/plan/batches", ["Bearer t0ken"])
    assert (batch["to"], batch["from"], batch["body"]) == ([PHONE], "Shop", "hello")
    assert (batch["client_reference"], batch["callback_url"]) == (message_id, sms.callback_url)
    assert subscriber.statuses_of(message_id) == ["QUEUED_ON_CHANNEL", "DELIVERED"]
    sms.refresh_from_db()
    assert sms.status == "ACTIVE"


def test_a_report_of_failure_fails_the_message_and_says_why(api, app, subscriber, settle, client, sms):
    message_id = send(api, app, Channel.SMS)
    settle()

    assert call_back(client, sms, report(message_id, "Failed", 402)) == 200
    settle()

    assert subscriber.statuses_of(message_id) == ["QUEUED_ON_CHANNEL", "FAILED"]
    assert Message.objects.get(pk=message_id).reason["code"] == "RECIPIENT_NOT_REACHABLE"


def test_a_report_of_a_passing_failure_sends_once_more_however_often_it_comes(
    api, app, settle, client, xms, sms
):
    message_id = send(api, app, Channel.SMS)
    settle()

    for _ in range(2):
        call_back(client, sms, report(message_id, "Failed", 404))
    settle()
    call_back(client, sms, report(message_id, "Failed", 404))  # still the first batch
    call_back(client, sms, report(message_id, "Delivered", 0, batch="batch-2"))
    settle()

    assert len(xms.asked) == 2
    assert Message.objects.get(pk=message_id).status == "DELIVERED"


def test_a_message_whose_answer_is_lost_is_not_sent_again_but_waits_for_its_report(
    api, app, subscriber, settle, client, xms, sms
):
    xms.answers = [Response(b"<html>taken?</html>", 200)]

    message_id = send(api, app, Channel.SMS)
    settle()
    assert (len(xms.asked), subscriber.statuses_of(message_id)) == (1, [])
    call_back(client, sms, report(message_id, "Delivered", 0, batch="batch-of-which-we-never-heard"))
    settle()

    assert subscriber.statuses_of(message_id) == ["DELIVERED"]


def test_a_person_that_writes_an_sms_starts_a_conversation(app, subscriber, settle, client, sms):
    body = {"type": "mo_text", "id": "mo-1", "from": PHONE, "to": "46711111111", "body": "Hi"}

    assert [call_back(client, sms, body), call_back(client, sms, body)] == [200, 200]
    settle()

    (inbound,) = subscriber.got("message")
    assert inbound["contact_message"]["text_message"]["text"] == "Hi"
    assert inbound["channel_identity"]["identity"] == PHONE
    assert len(subscriber.got("conversation_start_notification")) == 1


def test_an_unsigned_sms_callback_is_refused_where_there_is_a_secret(app, client, sms):
    sms.callback_secret = SECRET
    sms.save()
    body = {"type": "mo_text", "id": "mo-1", "from": PHONE, "to": "46711111111", "body": "Hi"}
    signed = signing.headers(json.dumps(body).encode(), SECRET, nonce="n", timestamp=1)

    assert call_back(client, sms, body) == 401
    assert not Message.objects.exists()
    assert call_back(client, sms, body, **signed) == 200
    assert Message.objects.exists()


def test_a_telegram_message_stays_queued_for_nobody_ever_reports_on_it(
    api, app, subscriber, settle, telegram
):
    app.fallback_enabled, app.fallback_waiting_time = True, 10
    app.save()

    message_id = send(api, app, Channel.TELEGRAM, Channel.SMS)
    settle()

    assert telegram.asked == [("/bot1:t/sendMessage", {"chat_id": CHAT, "text": "hello"})]
    assert subscriber.statuses_of(message_id) == ["QUEUED_ON_CHANNEL"]
    message = Message.objects.get(pk=message_id)
    assert (message.expires_at, message.fallback_at) == (None, None)
    taken = Candidate.objects.get(message_id=message_id, position=0)
    assert taken.channel_message_id == f"{CHAT}:1"


def test_throttling_is_waited_for_as_long_as_telegram_says(api, app, subscriber, settle, telegram):
    telegram.answers = [refusing(429, "Too Many Requests: retry after 30", retry_after=30)]

    message_id = send(api, app, Channel.TELEGRAM)
    drain(horizon=timedelta(seconds=20))
    assert len(telegram.asked) == 1
    settle()

    assert len(telegram.asked) == 2
    assert subscriber.statuses_of(message_id) == ["QUEUED_ON_CHANNEL"]


def test_a_person_who_blocked_the_bot_gets_an_sms_and_no_more_telegrams(
    api, app, project, subscriber, settle, telegram, xms
):
    telegram.answers = [refusing(403, "Forbidden: bot was blocked by the user")]
    contact = make_contact(project, (Channel.TELEGRAM, CHAT), (Channel.SMS, PHONE))

    first = send(api, app, recipient={"contact_id": contact.id})
    settle()
    second = send(api, app, recipient={"contact_id": contact.id})
    settle()

    assert subscriber.statuses_of(first) == ["SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL"]
    assert subscriber.statuses_of(second) == ["QUEUED_ON_CHANNEL"]
    assert (len(telegram.asked), len(xms.asked)) == (1, 2)
    (opt_out,) = subscriber.got("opt_out_notification")
    assert (opt_out["channel"], opt_out["identity"]) == ("TELEGRAM", CHAT)


def test_a_dead_token_marks_the_credential_and_hands_over_to_the_next_channel(
    api, app, subscriber, settle, telegram, xms, bot
):
    telegram.answers = [refusing(401, "Unauthorized")]

    message_id = send(api, app, Channel.TELEGRAM, Channel.SMS)
    settle()

    assert subscriber.statuses_of(message_id) == ["SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL"]
    assert len(xms.asked) == 1
    bot.refresh_from_db()
    assert (bot.status, bot.status_description) == ("FAILING", "Unauthorized")


def test_what_a_channel_cannot_carry_goes_to_the_next_without_asking_the_provider(
    api, app, subscriber, settle, telegram, xms
):
    own = {"SMS": {"text_message": {"text": "short"}}, "TELEGRAM": {"text_message": {"text": "x" * 4097}}}

    message_id = send(api, app, Channel.TELEGRAM, Channel.SMS, message={"explicit_channel_omni_message": own})
    settle()

    assert subscriber.statuses_of(message_id) == ["SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL"]
    assert (telegram.asked, xms.asked[0][1]["body"]) == ([], "short")


def test_a_template_for_one_channel_alone_is_filled_in(api, app, subscriber, settle, telegram, xms):
    template = make_template(app.project).public_id
    reference = {"template_id": template, "version": "1", "parameters": {"name": "Ada"}}
    own = {
        "SMS": {"template_reference": reference},
        "TELEGRAM": {"template_reference": reference | {"version": "2"}},
    }

    message_id = send(api, app, Channel.TELEGRAM, Channel.SMS, message={"explicit_channel_omni_message": own})
    settle()

    assert subscriber.statuses_of(message_id) == ["SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL"]
    assert (telegram.asked, xms.asked[0][1]["body"]) == ([], "Hello Ada")


def test_a_person_that_writes_to_the_bot_is_known_by_name(app, subscriber, settle, client, bot):
    message = from_person(text="hi")

    assert call_back(client, bot, update(message=message)) == 401
    status = call_back(client, bot, update(message=message), **{"X-Telegram-Bot-Api-Secret-Token": SECRET})
    settle()

    assert status == 200
    (inbound,) = subscriber.got("message")
    assert inbound["contact_message"]["text_message"]["text"] == "hi"
    assert inbound["channel_identity"] == {"channel": "TELEGRAM", "identity": CHAT, "app_id": ""}
    assert Message.objects.get().conversation.contact.display_name == "Ann"


@pytest.mark.parametrize("is_template", [False, True])
@pytest.mark.parametrize("postback_data", ["tea", "a-postback-that-has-no-room-in-64-bytes"])
def test_a_button_that_is_pressed_brings_back_the_message_and_what_was_chosen(
    api, app, subscriber, settle, client, telegram, bot, postback_data, is_template
):
    choices = [
        {"text_message": {"text": "Coffee"}},
        {"text_message": {"text": "Tea"}, "postback_data": postback_data},
    ]
    asking = {"choice_message": {"text_message": {"text": "What?"}, "choices": choices}}
    if is_template:
        template = make_template(app.project, Wording("en-US", "1", asking)).public_id
        asking = {"template_message": {"omni_template": {"template_id": template, "version": "1"}}}
    message_id = send(api, app, Channel.TELEGRAM, message=asking)
    settle()
    ((_, asked),) = telegram.asked
    _, (tea,) = asked["reply_markup"]["inline_keyboard"]

    press = {
        "id": "77",
        "from": {"id": int(CHAT), "first_name": "Ann"},
        "message": from_person(message_id=1),
        "data": tea["callback_data"],
    }
    secret = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    url = f"/callbacks/TELEGRAM/{bot.id}"
    answer = client.post(url, update(callback_query=press), content_type="application/json", headers=secret)
    settle()

    assert answer.json() == {"method": "answerCallbackQuery", "callback_query_id": "77"}
    (inbound,) = subscriber.got("message")
    response = inbound["contact_message"]["choice_response_message"]
    assert response == {"message_id": message_id, "postback_data": postback_data}
