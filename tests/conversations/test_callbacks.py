"""The channels' door: what is theirs is kept once, what is not is refused and leaves nothing."""

import json

import pytest

from contacts.models import Contact
from conversations.models import Message
from gateway import signing
from gateway.channels.base import Channel
from projects.ids import ulid
from tests.factories import make_app, make_credential

SECRET = "a-callback-secret"


@pytest.fixture
def credential(app):
    return app.credentials.get()


@pytest.fixture
def guarded(project):
    return make_app(project, credential_callback_secret=SECRET).credentials.get()


def inbound(text="hi", number="46700000011", **more):
    body = {
        "type": "inbound",
        "id": ulid(),
        "from": number,
        "content": {"text_message": {"text": text}},
    } | more
    return json.dumps(body).encode()


def post(client, credential, body, headers=None, channel=None):
    url = f"/callbacks/{channel or credential.channel}/{credential.id}"
    return client.post(url, body, content_type="application/json", headers=headers or {})


def test_a_contact_that_writes_becomes_a_contact_with_a_conversation(client, credential):
    answer = post(client, credential, inbound("hello"))

    assert (answer.status_code, answer.json()) == (200, {})
    message = Message.objects.get()
    assert message.content == {"text_message": {"text": "hello"}}
    assert message.conversation.contact == Contact.objects.get()
    assert message.conversation.active_channel == "SANDBOX"


def test_the_same_message_twice_is_kept_once(client, credential):
    body = inbound()

    post(client, credential, body)
    post(client, credential, body)

    assert Message.objects.count() == 1


def test_a_signed_callback_is_taken(client, guarded):
    body = inbound()
    headers = signing.headers(body, SECRET, nonce="n", timestamp=1)

    assert post(client, guarded, body, headers).status_code == 200
    assert Message.objects.count() == 1


@pytest.mark.parametrize("alter", ["unsigned", "body", "secret"])
def test_an_unsigned_or_altered_callback_is_refused_and_keeps_nothing(client, guarded, alter):
    body = inbound()
    secret = "another-secret" if alter == "secret" else SECRET
    headers = {} if alter == "unsigned" else signing.headers(body, secret, nonce="n", timestamp=1)

    answer = post(client, guarded, body + b" " if alter == "body" else body, headers)

    assert answer.status_code == 401
    assert not Message.objects.exists()
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b"\xff", b'{"type": "inbound", "id": "1", "from": "x"']
)
def test_what_is_no_callback_is_refused(client, credential, body):
    assert post(client, credential, body).status_code == 400
    assert not Message.objects.exists()


def test_a_number_that_is_none_is_refused_and_keeps_nothing(client, credential):
    assert post(client, credential, inbound(number="nobody")).status_code == 400
    assert not Contact.objects.exists()


@pytest.mark.parametrize("unkept", [{"text": "a\0b"}, {"id": "x" * 3000}])
def test_what_the_database_cannot_keep_is_refused_and_keeps_nothing(client, credential, unkept):
    assert post(client, credential, inbound(**unkept)).status_code == 400
    assert not Contact.objects.exists()


def test_a_kind_of_callback_that_is_not_known_is_ignored(client, credential):
    assert post(client, credential, b'{"type": "weather"}').status_code == 200


def test_a_callback_to_a_credential_that_does_not_exist_is_not_found(client, credential, db):
    unknown = client.post(f"/callbacks/SANDBOX/{ulid()}", b"{}", content_type="application/json")
    malformed = client.post("/callbacks/SANDBOX/nonsense", b"{}", content_type="application/json")
    elsewhere = post(client, credential, inbound(), channel="SMS")

    assert {unknown.status_code, malformed.status_code, elsewhere.status_code} == {404}


def test_a_callback_over_1_mb_is_too_large(client, credential):
    body = inbound("x" * 1_048_577)

    assert post(client, credential, body).status_code == 413


def test_a_callback_that_announces_over_1_mb_is_refused_before_it_is_all_sent(client, credential):
    url = f"/callbacks/{credential.channel}/{credential.id}"

    answer = client.generic("POST", url, inbound(), CONTENT_LENGTH="1048577")

    assert answer.status_code == 413
    assert answer.json()["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_only_post_is_a_callback(client, credential):
    answer = client.get(f"/callbacks/SANDBOX/{credential.id}")

    assert (answer.status_code, answer.json()["error"]["status"]) == (501, "UNIMPLEMENTED")


def test_a_channel_that_nothing_here_speaks_to_has_no_callbacks(client, app, settings):
    settings.CHANNELS_SANDBOXED = frozenset()
    credential = make_credential(app, Channel.WECHAT, key="wechat_credentials")

    assert post(client, credential, inbound()).status_code == 404
