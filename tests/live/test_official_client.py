"""The vendor's official Python client, unchanged but for its two origins, against the running house."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sinch import SinchClient
from sinch.domains.conversation.exceptions import ConversationException

from tests.live.conftest import ROOT, Client, House, Subscriber, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]

SECRET = "a-webhook-secret"


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[SinchClient]:
    facts = house.facts
    client = SinchClient(
        key_id=facts["key_id"], key_secret=facts["key_secret"], project_id=facts["project_id"]
    )
    client.configuration.auth_origin = facts["base_url"]
    client.configuration.conversation_origin = facts["base_url"]
    yield client
    client.configuration.transport.http_session.close()


def make_app(client: SinchClient, name: str) -> Any:
    return client.conversation.apps.create(
        display_name=name,
        channel_credentials={"SMS": {"claimed_identity": "me", "token": "any"}},
    )


def test_it_creates_sends_reads_back_and_hears_of_it_in_callbacks_that_it_accepts(
    house: House, client: SinchClient, subscriber: Subscriber
) -> None:
    app = make_app(client, "Official")
    with Client(house) as ours:  # the official Python client has no call for webhooks
        ours.subscribe(app.id, subscriber.target, SECRET)
    contact = client.conversation.contacts.create(
        channel_identities=[{"channel": "SMS", "identity": "+46700000010"}],
        language="EN_US",
        display_name="Ada",
    )

    sent = client.conversation.messages.send_text_message(app_id=app.id, text="hello", contact_id=contact.id)

    wait_until(
        lambda: len(subscriber.bodies("message_delivery_report")) == 2, seconds=20, what="delivery reports"
    )
    reports = subscriber.bodies("message_delivery_report")
    assert [report["status"] for report in reports] == ["QUEUED_ON_CHANNEL", "DELIVERED"]
    assert {report["message_id"] for report in reports} == {sent.message_id}
    (submitted,) = subscriber.bodies("message_submit_notification")
    assert submitted["submitted_message"] == {"text_message": {"text": "hello"}}
    message = client.conversation.messages.get(sent.message_id)
    assert message.app_message.text_message.text == "hello"
    assert message.contact_id == contact.id
    listed = client.conversation.messages.list(app_id=app.id)
    assert [one.id for one in listed.iterator()] == [sent.message_id]

    events = client.conversation.sinch_events(SECRET)
    for headers, body in subscriber.requests:
        assert events.validate_authentication_header(headers, body.decode())
        assert not events.validate_authentication_header(headers, body.decode() + " ")
        assert events.parse_event(json.loads(body)).app_id == app.id


def test_it_changes_lists_and_deletes_apps_and_contacts(client: SinchClient) -> None:
    app = make_app(client, "To be changed")
    policy = {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 30}

    changed = client.conversation.apps.update(app.id, display_name="Changed", retention_policy=policy)

    assert (changed.display_name, changed.retention_policy.ttl_days) == ("Changed", 30)
    assert app.id in {one.id for one in client.conversation.apps.list().iterator()}
    client.conversation.apps.delete(app.id)
    with pytest.raises(ConversationException) as refusal:
        client.conversation.apps.get(app.id)
    assert refusal.value.response_status_code == 404


def test_its_errors_carry_our_message_and_status(client: SinchClient) -> None:
    with pytest.raises(ConversationException, match="NOT_FOUND"):
        client.conversation.messages.get("01ARZ3NDEKTSV4RRFFQ69G5FAV")


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
