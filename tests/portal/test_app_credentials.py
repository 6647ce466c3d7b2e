from typing import Any

import pytest

from gateway.channels.base import Channel
from gateway.channels.credentials import ALLOWED_KEYS
from projects import credentials
from projects.credentials import Wanted
from projects.models import App, ChannelCredential, CredentialStatus
from tests.factories import api_client, make_app, make_project, path

pytestmark = pytest.mark.django_db

TOKEN = "a-secret-token-1234"
OBJECTS: dict[str, dict[str, Any]] = {
    "static_bearer": {"claimed_identity": "Acme", "token": TOKEN},
    "static_token": {"token": TOKEN},
    "mms_credentials": {
        "account_id": "acc", "api_key": TOKEN, "basic_auth": {"username": "u", "password": TOKEN},
    },
    "instagram_credentials": {"token": TOKEN, "business_account_id": "b"},
    "telegram_credentials": {"token": TOKEN},
    "kakaotalk_credentials": {"kakaotalk_plus_friend_id": "f", "kakaotalk_sender_key": TOKEN},
    "kakaotalkchat_credentials": {"kakaotalk_plus_friend_id": "f", "api_key": TOKEN},
    "line_credentials": {"token": TOKEN, "secret": TOKEN, "is_default": True},
    "line_enterprise_credentials": {"line_japan": {"token": TOKEN, "secret": TOKEN}, "is_default": False},
    "wechat_credentials": {"app_id": "w", "app_secret": TOKEN, "token": TOKEN, "aes_key": TOKEN},
    "applebc_credentials": {"business_chat_account_id": "b"},
}  # fmt: skip
EVERY_PAIR = [(channel, key) for channel, keys in ALLOWED_KEYS.items() for key in keys]


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def client(project):
    return api_client(project)


@pytest.fixture
def app(project):
    return make_app(project, channels=[])


def put(client, app, *entries):
    return client.patch(
        path(app.project, f"apps/{app.id}"), {"channel_credentials": list(entries)}, format="json"
    )


def entry(channel, key="static_bearer", **fields):
    return {"channel": channel, key: OBJECTS[key]} | fields


def line(number, **fields):
    return entry("LINE", "line_credentials", credential_ordinal_number=number, **fields)


def assert_refused(response, field, says):
    assert response.status_code == 400, response.content
    violations = response.json()["error"]["details"][0]["fieldViolations"]
    assert says in {violation["field"]: violation["description"] for violation in violations}[field]
    assert not ChannelCredential.objects.exists()


@pytest.mark.parametrize(("channel", "key"), EVERY_PAIR)
def test_every_kind_of_credential_is_kept_whole_and_shown_without_its_secrets(client, app, channel, key):
    shown = put(client, app, entry(channel, key)).json()["channel_credentials"]

    assert len(shown) == 1
    assert TOKEN not in str(shown)
    assert set(shown[0]) == {
        "channel", key, "callback_secret", "credential_ordinal_number", "state", "channel_known_id", "callback_url",
    }  # fmt: skip
    assert set(shown[0][key]) == set(OBJECTS[key])
    assert ChannelCredential.objects.get().values == OBJECTS[key]
    assert shown[0]["state"]["description"] == ""
    assert shown[0]["channel_known_id"] == ""


@pytest.mark.parametrize(("channel", "key"), EVERY_PAIR)
def test_a_masked_credential_that_comes_back_keeps_what_is_stored(client, app, channel, key):
    shown = put(client, app, entry(channel, key, callback_secret="callback-secret")).json()[
        "channel_credentials"
    ]
    before = ChannelCredential.objects.get()

    assert put(client, app, *shown).json()["channel_credentials"] == shown

    after = ChannelCredential.objects.get()
    assert (after.id, after.values, after.callback_secret) == (before.id, OBJECTS[key], "callback-secret")


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ([{"token": "****"}, {}], "channel_credentials[0].static_bearer.token"),
        ([{"token": f"****{TOKEN[-4:]}"}, {}], "channel_credentials[0].static_bearer.token"),
        ([{}, {"callback_secret": "****cret"}], "channel_credentials[0].callback_secret"),
    ],
)
def test_a_mask_of_no_stored_secret_is_refused_by_its_place(client, app, entries, field):
    values, more = entries

    refused = put(client, app, {**entry("SMS", **more), "static_bearer": OBJECTS["static_bearer"] | values})

    assert_refused(refused, field, "is only the mask of a secret")


def test_the_mask_of_one_channel_s_secret_is_none_of_another_s(client, app):
    (shown,) = put(client, app, entry("SMS")).json()["channel_credentials"]

    moved = put(client, app, shown | {"channel": "RCS"})

    assert moved.status_code == 400
    assert ChannelCredential.objects.get().channel == "SMS"


def test_their_order_is_kept_and_can_be_changed(client, app):
    put(client, app, entry("SMS"), entry("RCS"), entry("WHATSAPP"))
    ids = {row.channel: row.id for row in ChannelCredential.objects.all()}

    shown = put(client, app, entry("WHATSAPP"), entry("SMS"), entry("RCS")).json()["channel_credentials"]

    assert [one["channel"] for one in shown] == ["WHATSAPP", "SMS", "RCS"]
    assert {row.channel: row.id for row in ChannelCredential.objects.all()} == ids


def test_what_the_list_leaves_out_goes(client, app):
    put(client, app, entry("SMS"), entry("RCS"))

    put(client, app, entry("RCS"))

    assert [row.channel for row in ChannelCredential.objects.all()] == ["RCS"]


def test_a_new_credential_is_pending_and_a_sandboxed_one_active(client, app, settings):
    settings.CHANNELS_SANDBOXED = frozenset({"RCS"})

    shown = put(client, app, entry("SMS"), entry("RCS"), entry("SANDBOX")).json()["channel_credentials"]

    assert [one["state"]["status"] for one in shown] == ["PENDING", "ACTIVE", "ACTIVE"]


def test_a_credential_that_stays_as_it_is_keeps_its_state_and_a_new_secret_starts_anew(client, app, settings):
    settings.CHANNELS_SANDBOXED = frozenset()
    put(client, app, entry("SMS"))
    ChannelCredential.objects.update(
        status=CredentialStatus.FAILING, status_description="401", channel_known_id="k"
    )

    same = put(client, app, entry("SMS", callback_secret="s")).json()["channel_credentials"][0]
    assert same["state"] == {"status": "FAILING", "description": "401"}
    anew = put(client, app, entry("SMS", static_bearer={"claimed_identity": "Acme", "token": "x"}))

    changed = anew.json()["channel_credentials"][0]
    assert changed["state"] == {"status": "PENDING", "description": ""}
    assert changed["callback_url"] == same["callback_url"]
    assert changed["channel_known_id"] == "k"


def test_line_may_have_several_each_with_its_number(client, app):
    shown = put(client, app, line(2), line(0), line(1)).json()["channel_credentials"]

    assert [one["credential_ordinal_number"] for one in shown] == [2, 0, 1]


def test_the_sandbox_takes_any_values(client, app):
    values = {"claimed_identity": "", "token": "", "more": {"a": [1]}}

    assert put(client, app, entry("SANDBOX", static_bearer=values)).status_code == 200
    assert put(client, app, entry("SANDBOX", static_bearer={})).status_code == 200


@pytest.mark.parametrize(
    ("entries", "field", "says"),
    [
        (["SMS"], "channel_credentials[0]", "must be an object"),
        ([{}], "channel_credentials[0].channel", "must be one of"),
        ([entry("FAX")], "channel_credentials[0].channel", "must be one of"),
        ([{"channel": "SMS"}], "channel_credentials[0]", "exactly one"),
        ([{"channel": "SMS", "static_bearer": None}], "channel_credentials[0]", "exactly one"),
        ([entry("SMS") | entry("SMS", "static_token")], "channel_credentials[0]", "exactly one"),
        ([entry("SMS"), entry("RCS", "static_token")], "channel_credentials[1].static_token", "takes static_bearer"),
        ([entry("SANDBOX", "static_token")], "channel_credentials[0].static_token", "takes static_bearer"),
        ([entry("SMS", static_bearer="x")], "channel_credentials[0].static_bearer", "must be an object"),
        ([entry("SANDBOX", static_bearer=[])], "channel_credentials[0].static_bearer", "must be an object"),
        ([entry("SMS", static_bearer={"claimed_identity": "x"})], "channel_credentials[0].static_bearer.token", "is required"),
        ([entry("SMS", static_bearer={"token": "x"})], "channel_credentials[0].static_bearer.claimed_identity", "is required"),
        ([entry("SMS", callback_secret="x" * 257)], "channel_credentials[0].callback_secret", "256"),
        ([entry("SMS", callback_secret=7)], "channel_credentials[0].callback_secret", "must be a string"),
        ([line("1")], "channel_credentials[0].credential_ordinal_number", "must be a whole number"),
        ([line(2**31)], "channel_credentials[0].credential_ordinal_number", "must be"),
        ([entry("SMS"), entry("SMS")], "channel_credentials[1].channel", "already has a credential"),
        ([entry("SMS"), entry("SMS", credential_ordinal_number=1)], "channel_credentials[1].channel", "already has"),
        ([line(1), line(1)], "channel_credentials[1].credential_ordinal_number", "already taken"),
    ],
)  # fmt: skip
def test_a_wrong_credential_is_refused_by_its_place(client, app, entries, field, says):
    assert_refused(put(client, app, *entries), field, says)


def test_a_callback_secret_of_256_characters_is_taken(client, app):
    assert put(client, app, entry("SMS", callback_secret="x" * 256)).status_code == 200


def test_one_wrong_credential_keeps_all_others_as_they_were(client, app):
    put(client, app, entry("SMS"))

    assert put(client, app, entry("RCS"), entry("SMS", static_bearer={})).status_code == 400

    assert [row.channel for row in ChannelCredential.objects.all()] == ["SMS"]
    assert ChannelCredential.objects.get().values == OBJECTS["static_bearer"]


def test_a_person_in_the_portal_replaces_them_by_the_same_verb(app):
    values = OBJECTS["static_bearer"]
    wanted = [
        Wanted(channel=channel, key="static_bearer", values=values) for channel in (Channel.RCS, Channel.SMS)
    ]

    credentials.replace(app, wanted)

    assert [row.channel for row in App.objects.get(pk=app.pk).credentials.all()] == ["RCS", "SMS"]


def test_each_is_shown_with_the_address_that_its_provider_calls(client, app, settings):
    shown = put(client, app, entry("SMS")).json()["channel_credentials"][0]

    assert (
        shown["callback_url"] == f"{settings.PUBLIC_URL}/callbacks/SMS/{ChannelCredential.objects.get().id}"
    )
