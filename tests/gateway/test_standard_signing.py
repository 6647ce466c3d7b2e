"""The headers of Standard Webhooks, as their own library has them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gateway import signing

# Published with the specification and its libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

OTHER = "whsec_" + base64.b64encode(b"another key of some length").decode()


def signed(*secrets: str, body: bytes = BODY, timestamp: int = TIMESTAMP) -> dict[str, str]:
    return signing.standard_headers(body, secrets, message_id=MESSAGE_ID, timestamp=timestamp)


def now() -> int:
    """The library refuses what is older than five minutes."""
    return int(datetime.now(UTC).timestamp())


def test_the_published_vector_is_signed_as_published():
    assert signed(SECRET) == {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": str(TIMESTAMP),
        "webhook-signature": SIGNATURE,
    }
    assert signing.is_standard_valid(signed(SECRET), BODY, SECRET)


def test_the_standard_s_own_library_accepts_it_and_refuses_what_was_altered():
    body = signing.encode({"text": "héllo €"})
    headers = signed(SECRET, body=body, timestamp=now())

    assert Webhook(SECRET).verify(body, headers) == {"text": "héllo €"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"h", b"H"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)


def test_each_of_several_secrets_signs_in_their_order():
    headers = signed(OTHER, SECRET, timestamp=now())

    first, second = headers["webhook-signature"].split(" ")
    assert first == signed(OTHER, timestamp=now())["webhook-signature"]
    assert second == signed(SECRET, timestamp=now())["webhook-signature"]
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(BODY, headers)
        assert signing.is_standard_valid(headers, BODY, secret)


@pytest.mark.parametrize("secret", ["s3cr3t-Ünï", "c2VjcmV0", "whsec_not base64!", "whsec_", "whsec_Ünï"])
def test_a_secret_that_somebody_thought_up_signs_with_its_bytes_as_entered(secret):
    headers = signed(secret, timestamp=now())

    assert Webhook(secret.encode()).verify(BODY, headers)


@pytest.mark.parametrize("padding", ["", "=", "=="])
def test_padding_makes_no_difference(padding):
    bare = "whsec_" + base64.b64encode(b"12345678").decode().rstrip("=")

    assert signed(bare + padding) == signed(bare)


def test_without_a_secret_the_id_and_the_moment_are_told_all_the_same():
    assert signed() == {"webhook-id": MESSAGE_ID, "webhook-timestamp": str(TIMESTAMP)}
    assert not signing.is_standard_valid(signed(), BODY, SECRET)


@pytest.mark.parametrize(
    "changed",
    [
        {signing.STANDARD_ID: "msg_other"},
        {signing.STANDARD_TIMESTAMP: "1614265331"},
        {signing.STANDARD_SIGNATURE: SIGNATURE.replace("v1,", "v2,")},
        {signing.STANDARD_SIGNATURE: "v1,ünï"},
        {signing.STANDARD_SIGNATURE: ""},
    ],
)
def test_a_signature_with_any_part_changed_is_not_valid(changed):
    assert not signing.is_standard_valid(signed(SECRET) | changed, BODY, SECRET)
