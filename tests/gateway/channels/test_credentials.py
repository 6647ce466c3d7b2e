from __future__ import annotations

from typing import Any

import pytest

from gateway.channels.base import Channel
from gateway.channels.credentials import ALLOWED_KEYS, CREDENTIALS, check, mask, masked, unmasked

GOOD: dict[str, dict[str, Any]] = {
    "static_bearer": {"claimed_identity": "46700000001", "token": "a-token-that-is-long"},
    "static_token": {"token": "a-token-that-is-long"},
    "mms_credentials": {
        "account_id": "a",
        "api_key": "an-api-key-that-is-long",
        "basic_auth": {"username": "u", "password": "p"},
    },
    "instagram_credentials": {"token": "a-token-that-is-long", "business_account_id": "17"},
    "telegram_credentials": {"token": "123456:a-token-that-is-long"},
    "kakaotalk_credentials": {"kakaotalk_plus_friend_id": "@f", "kakaotalk_sender_key": "k"},
    "kakaotalkchat_credentials": {"kakaotalk_plus_friend_id": "@f"},
    "line_credentials": {"token": "t", "secret": "s", "is_default": True},
    "line_enterprise_credentials": {"line_japan": {"token": "t", "secret": "s"}},
    "wechat_credentials": {"app_id": "a", "app_secret": "b", "token": "c", "aes_key": "d"},
    "applebc_credentials": {"business_chat_account_id": "a", "merchant_id": "m"},
}


def test_every_channel_has_a_credential_and_every_credential_a_channel():
    assert set(ALLOWED_KEYS) == set(Channel)
    assert {key for keys in ALLOWED_KEYS.values() for key in keys} == set(CREDENTIALS) == set(GOOD)


@pytest.mark.parametrize(("channel", "key"), [(c, key) for c, keys in ALLOWED_KEYS.items() for key in keys])
def test_a_whole_credential_has_no_problem(channel, key):
    assert check(channel, key, GOOD[key]) == []


@pytest.mark.parametrize(
    ("channel", "key", "values", "paths"),
    [
        (Channel.SMS, "static_bearer", {}, ["static_bearer.claimed_identity", "static_bearer.token"]),
        (Channel.SMS, "static_bearer", {"claimed_identity": "1", "token": ""}, ["static_bearer.token"]),
        (
            Channel.SMS,
            "static_bearer",
            {"claimed_identity": 1, "token": "t"},
            ["static_bearer.claimed_identity"],
        ),
        (Channel.SMS, "static_bearer", {"claimed_identity": "1", "token": "a\r\nb"}, ["static_bearer.token"]),
        (Channel.SMS, "static_bearer", {"claimed_identity": "1", "token": "  "}, ["static_bearer.token"]),
        (Channel.SMS, "static_bearer", None, ["static_bearer"]),
        (Channel.SMS, "static_token", {"token": "t"}, ["static_token"]),
        (
            Channel.LINE,
            "line_credentials",
            {"token": "t", "secret": "s", "is_default": "yes"},
            ["line_credentials.is_default"],
        ),
        (Channel.LINE, "line_enterprise_credentials", {}, ["line_enterprise_credentials"]),
        (
            Channel.LINE,
            "line_enterprise_credentials",
            {"line_japan": {"token": "t"}},
            ["line_enterprise_credentials.line_japan.secret"],
        ),
        (
            Channel.LINE,
            "line_enterprise_credentials",
            {place: {"token": "t", "secret": "s"} for place in ("line_japan", "line_thailand")},
            ["line_enterprise_credentials"],
        ),
        (
            Channel.MMS,
            "mms_credentials",
            {"account_id": "a", "api_key": "k", "basic_auth": {"username": "u"}},
            ["mms_credentials.basic_auth.password"],
        ),
        (
            Channel.MMS,
            "mms_credentials",
            {"account_id": "a", "api_key": "k", "basic_auth": "u:p"},
            ["mms_credentials.basic_auth.username", "mms_credentials.basic_auth.password"],
        ),
    ],
)
def test_a_problem_is_told_with_the_path_of_its_field(channel, key, values, paths):
    problems = check(channel, key, values)

    assert [path for path, _ in problems] == paths
    assert all(problem for _, problem in problems)


def test_an_optional_part_may_be_left_out_or_null():
    assert check(Channel.MMS, "mms_credentials", {"account_id": "a", "api_key": "k"}) == []
    values = {"account_id": "a", "api_key": "k", "basic_auth": None}
    assert check(Channel.MMS, "mms_credentials", values) == []


@pytest.mark.parametrize("values", [{}, {"anything": "goes"}])
def test_the_sandbox_takes_any_values(values):
    assert check(Channel.SANDBOX, "static_bearer", values) == []
    assert masked(values, "static_bearer") == ({"anything": "****"} if values else {})


@pytest.mark.parametrize(
    ("secret", "shown"), [("", ""), ("a", "****"), ("elevenchars", "****"), ("twelve-chars", "****hars")]
)
def test_a_mask_is_never_empty_where_a_secret_is_set(secret, shown):
    assert mask(secret) == shown


def test_secrets_are_masked_and_the_rest_is_shown():
    assert masked(GOOD["mms_credentials"], "mms_credentials") == {
        "account_id": "a",
        "api_key": "****long",
        "basic_auth": {"username": "u", "password": "****"},
    }
    assert masked({**GOOD["line_credentials"], "extra": ["hidden"]}, "line_credentials") == {
        "token": "****",
        "secret": "****",
        "is_default": True,
        "extra": ["****"],
    }


@pytest.mark.parametrize("key", GOOD)
def test_what_was_read_masked_and_written_back_changes_nothing(key):
    assert unmasked(masked(GOOD[key], key), GOOD[key], key) == GOOD[key]


def test_a_new_secret_replaces_the_stored_one_and_the_other_stays():
    stored = GOOD["mms_credentials"]
    shown = masked(stored, "mms_credentials")
    new = {**shown, "api_key": "new", "basic_auth": {"username": "other", "password": "****"}}

    assert unmasked(new, stored, "mms_credentials") == {
        "account_id": "a",
        "api_key": "new",
        "basic_auth": {"username": "other", "password": "p"},
    }


def test_a_mask_without_a_stored_secret_is_taken_as_it_is():
    assert unmasked({"token": "****"}, {}, "static_token") == {"token": "****"}
