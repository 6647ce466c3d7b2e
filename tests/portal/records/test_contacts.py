"""The pages of contacts and of their conversations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django.urls import reverse

from contacts.models import Contact
from conversations.models import Message
from projects import clock
from retention import holding
from retention.models import HoldScope
from tests import factories
from tests.portal.pages import login

pytestmark = pytest.mark.django_db


def test_a_contact_is_made_with_its_identities_as_the_api_keeps_them(client, world):
    response = client.post(reverse("admin:contacts_contact_add"), {
        "project": world.project.pk, "display_name": "Zoe", "language": "UNSPECIFIED", "channel_priority_SMS": "1",
        "identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0", "identities-0-channel": "SMS",
        "identities-0-identity": "+46 700000011".replace(" ", ""),
    })  # fmt: skip

    assert response.status_code == 302, response.context["errors"]
    zoe = Contact.objects.get(display_name="Zoe")
    assert zoe.channel_priority == ["SMS"]
    assert [one.identity for one in zoe.identities.all()] == ["46700000011"]


def test_an_identity_that_is_none_is_refused_at_its_field(client, world):
    response = client.post(reverse("admin:contacts_contact_add"), {
        "project": world.project.pk, "display_name": "Zoe", "language": "UNSPECIFIED",
        "identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0", "identities-0-channel": "SMS",
        "identities-0-identity": "not a number",
    })  # fmt: skip

    assert "international phone number" in response.content.decode()
    assert not Contact.objects.filter(display_name="Zoe").exists()


def test_an_identity_scoped_to_an_app_of_another_project_is_refused(world):
    client = login(factories.make_user(is_superuser=True))
    foreign = factories.make_app()

    response = client.post(reverse("admin:contacts_contact_add"), {
        "project": world.project.pk, "display_name": "Zoe", "language": "UNSPECIFIED",
        "identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0", "identities-0-channel": "MESSENGER",
        "identities-0-identity": "psid", "identities-0-app": foreign.pk,
    })  # fmt: skip

    assert "Select a valid choice" in response.content.decode()


def test_a_deleted_contact_leaves_its_conversations(client, world):
    contact = factories.make_conversation(factories.make_app(world.project)).contact

    client.post(reverse("admin:contacts_contact_delete", args=[contact.pk]), {"post": "yes"})

    assert not Contact.objects.filter(pk=contact.pk).exists()
    page = client.get(reverse("admin:conversations_conversation_changelist")).content.decode()
    assert "a deleted contact" in page


def test_a_contact_that_a_legal_hold_names_is_not_deleted(client, world):
    contact = factories.make_contact(world.project)
    holding.place(
        project=world.project,
        scope=HoldScope.CONTACT,
        contact_id=contact.pk,
        matter="A case",
        now=clock.now(),
    )

    delete = reverse("admin:contacts_contact_delete", args=[contact.pk])
    page = client.post(delete, {"post": "yes"}, follow=True)

    assert "A legal hold keeps this" in page.content.decode()
    assert Contact.objects.filter(pk=contact.pk).exists()


@override_settings(RETENTION_READ_FILTER=True)
def test_a_transcript_says_what_is_kept_and_not_served(client, world):
    app = factories.make_app(world.project)
    late = factories.make_message(app, accept_time=clock.now() - timedelta(days=182))
    address = reverse("admin:conversations_conversation_change", args=[late.conversation_id])
    due = client.get(address)
    holding.place(project=world.project, scope=HoldScope.APP, app=app, matter="A case", now=clock.now())
    held = client.get(address)

    bubble = due.context["transcript"].bubbles[0]
    assert (bubble.message, bubble.is_served, bubble.is_held) == (late, False, False)
    assert held.content.decode().count("kept by a legal hold, not served") == 1


@override_settings(CHANNELS_SANDBOXED=frozenset({"*"}))
def test_a_contact_writes_without_a_phone(client, world):
    contact = world.rows["contacts.contact"]
    address = reverse("admin:contacts_contact_simulate", args=[contact.pk])
    pair = client.get(address).context["simulation"].fields["pair"].choices[0][0]

    response = client.post(address, {"simulate-pair": pair, "simulate-text": "Hello there"})

    assert response.status_code == 302
    assert Message.objects.get(direction="TO_APP").content == {"text_message": {"text": "Hello there"}}
    conversation = world.rows["conversations.conversation"]
    page = client.get(
        reverse("admin:conversations_conversation_change", args=[conversation.pk])
    ).content.decode()
    assert "Hello there" in page


def test_a_long_conversation_comes_in_pages(client, world):
    conversation = world.rows["conversations.conversation"]
    for number in range(60):
        factories.make_message(
            conversation=conversation, content={"text_message": {"text": f"no. {number:02}!"}}
        )

    address = reverse("admin:conversations_conversation_change", args=[conversation.pk])
    newest = client.get(address)
    older = client.get(address, {"until": newest.context["transcript"].older})

    assert len(newest.context["transcript"].bubbles) == 50
    assert len(older.context["transcript"].bubbles) == 11
    assert "Older messages" in newest.content.decode()
    assert "Older messages" not in older.content.decode()
