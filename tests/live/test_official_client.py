"""The vendor's official Python client, unchanged but for its two origins, against the running house."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sinch.domains.authentication.exceptions import AuthenticationException
from sinch.domains.conversation.exceptions import ConversationException

from tests.live.conftest import TOKEN_LIFETIME
from tests.live.house import ROOT, House
from tests.live.official import (
    CREDENTIALS,
    MESSAGES,
    called,
    client_of,
    make_app,
    make_contact,
    new_number,
    operations,
)

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]


def test_every_operation_that_the_client_has_is_tried(conversation: Any) -> None:
    by_kind = {f"messages.send_{kind}" for kind in MESSAGES}

    assert operations(conversation) - called(Path(__file__).parent.glob("*.py")) - by_kind == set()


def test_an_app_takes_every_shape_of_credential(conversation: Any) -> None:
    app = conversation.apps.create(display_name="All", channel_credentials=CREDENTIALS)

    by_channel = conversation.apps.get(app.id).channel_credentials.model_dump(exclude_none=True)
    assert {channel.upper() for channel in by_channel} == CREDENTIALS.keys()
    assert by_channel["line_japan"]["token"] == "****1234"
    assert "a-secret-token-1234" not in str(by_channel)
    listed = conversation.apps.get(app.id, raw_response=True).channel_credentials
    assert len(listed) == len(CREDENTIALS)


def test_none_takes_every_field_of_an_app_back_to_its_default(conversation: Any) -> None:
    given: dict[str, Any] = {
        "conversation_metadata_report_view": "FULL",
        "retention_policy": {"retention_type": "CONVERSATION_EXPIRE_POLICY", "ttl_days": 30},
        "dispatch_retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 3},
        "processing_mode": "DISPATCH",
        "smart_conversation": {"enabled": True},
        "event_destination_settings": {"secret_for_overridden_target": "a-secret-for-overrides"},
        "message_retry_settings": {"retry_duration": 600},
        "delivery_report_based_fallback": {"enabled": True, "delivery_report_waiting_time": 60},
    }
    plain, app = make_app(conversation), make_app(conversation, **given)

    reset = conversation.apps.update(app.id, **dict.fromkeys(given))

    for name in given:
        assert getattr(app, name) != getattr(plain, name), name
        assert getattr(reset, name) == getattr(plain, name), name


def test_none_empties_every_field_of_a_contact(conversation: Any) -> None:
    given: dict[str, Any] = {
        "channel_priority": ["SMS"],
        "display_name": "Ada",
        "email": "ada@example.com",
        "external_id": "customer-7",
        "metadata": "m",
    }
    plain, contact = make_contact(conversation), make_contact(conversation, **given)

    emptied = conversation.contacts.update(contact.id, **dict.fromkeys(given))

    for name in given:
        assert getattr(contact, name) != getattr(plain, name), name
        assert getattr(emptied, name) == getattr(plain, name), name


def test_it_lists_contacts_to_the_end_finds_and_deletes_them(conversation: Any) -> None:
    contacts, external_id = conversation.contacts, new_number()
    made = [make_contact(conversation, external_id=external_id) for _ in range(5)]
    all_of_them = [one.id for one in made]

    def ids(**filters: Any) -> list[str]:
        return [one.id for one in contacts.list(**filters).iterator()]

    assert ids(external_id=external_id, page_size=2) == all_of_them
    assert ids(channel="SMS", identity=f"+{made[0].channel_identities[0].identity}") == all_of_them[:1]
    contacts.delete(all_of_them[0])
    assert ids(external_id=external_id) == all_of_them[1:]


def test_a_deleted_app_is_gone(conversation: Any) -> None:
    app = make_app(conversation)

    conversation.apps.delete(app.id)

    with pytest.raises(ConversationException, match="NOT_FOUND"):
        conversation.apps.get(app.id)


def test_it_finds_conflicts_and_merges_contacts(conversation: Any) -> None:
    number = new_number()
    kept = make_contact(conversation, identity=number)
    source = make_contact(conversation, identity=number, email="ada@example.com")
    conflicts = conversation.contacts.list_identity_conflicts(page_size=1).iterator()
    assert {source.id, kept.id} in [set(conflict.contact_ids) for conflict in conflicts]

    merged = conversation.contacts.merge_contact(kept.id, source.id, strategy="MERGE")

    assert (merged.id, merged.email) == (kept.id, "ada@example.com")
    with pytest.raises(ConversationException, match="NOT_FOUND"):
        conversation.contacts.get(source.id)
    left = conversation.contacts.list_identity_conflicts().iterator()
    assert number not in {conflict.identity for conflict in left}


def test_it_asks_for_a_name_by_contact_and_by_identity(conversation: Any) -> None:
    app = make_app(conversation, "MESSENGER")
    known = [{"channel": "MESSENGER", "identity": "someone"}]
    contact = conversation.contacts.create(
        channel_identities=[known[0] | {"app_id": app.id}], language="EN_US"
    )
    contacts, asked = conversation.contacts, (app.id, "MESSENGER")

    profiles = [
        contacts.get_channel_profile(*asked, {"contact_id": contact.id}),
        contacts.get_channel_profile_by_contact_id(*asked, contact.id),
        contacts.get_channel_profile_by_channel_identity(*asked, known),
    ]

    assert all(profile.profile_name for profile in profiles)


def test_an_expired_token_is_renewed_without_the_callers_noticing(house: House) -> None:
    with client_of(house) as client:
        client.conversation.apps.list()
        before = client.configuration.token_manager.token.access_token

        time.sleep(TOKEN_LIFETIME + 1.1)

        assert client.conversation.apps.list().content()
        assert client.configuration.token_manager.token.access_token != before


def test_its_errors_carry_our_message_and_status(conversation: Any) -> None:
    with pytest.raises(ConversationException, match="NOT_FOUND") as unknown:
        conversation.messages.get("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    with pytest.raises(ConversationException, match=r"channel.*INVALID_ARGUMENT") as wrong:
        make_contact(conversation, channel="PIGEON")

    assert (unknown.value.response_status_code, wrong.value.response_status_code) == (404, 400)


def test_a_wrong_key_and_another_project_are_refused(house: House) -> None:
    with (
        client_of(house, key_secret="another") as stranger,
        pytest.raises(AuthenticationException) as wrong,
    ):
        stranger.conversation.apps.list()
    with (
        client_of(house, project_id="6f1c8e8e-0000-4000-8000-000000000001") as elsewhere,
        pytest.raises(ConversationException, match="PERMISSION_DENIED") as forbidden,
    ):
        elsewhere.conversation.apps.list()

    assert wrong.value.http_response.body["error"] == "invalid_client"
    assert (wrong.value.response_status_code, forbidden.value.response_status_code) == (401, 403)


def test_the_readme_example_runs_as_printed(house: House) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", example.replace('"var/', f'"{house.data_dir}/')],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert "hello" in done.stdout
