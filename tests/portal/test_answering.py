"""A conversation is answered from its page: by who may write, where somebody can be written to."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from conversations.models import Conversation, Message
from projects import clock
from projects.models import App, ProcessingMode, Role
from tests import factories
from tests.portal.pages import login

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation():
    app = factories.make_app()
    return factories.make_conversation(app, factories.make_contact(app.project, "46700000010"))


@pytest.fixture
def client(conversation):
    return login(factories.make_user(conversation.project, Role.OPERATOR))


def page(conversation):
    return reverse("admin:conversations_conversation_change", args=[conversation.pk])


def test_what_is_typed_is_sent_to_the_contact_and_recorded(client, conversation):
    shown = client.get(page(conversation)).content.decode()

    answer = client.post(page(conversation), {"answer-text": "We open at nine."})

    message = Message.objects.get(conversation=conversation)
    assert answer.url == f"{page(conversation)}#{message.pk}"
    assert message.content == {"text_message": {"text": "We open at nine."}}
    assert "by SANDBOX to" in shown
    assert "46700000010" in shown
    assert message.pk in LogEntry.objects.get().get_change_message()


@pytest.mark.parametrize(("text", "refusal"), [(" ", "Write something first."), ("x" * 4097, "at most 4096")])
def test_an_answer_that_says_nothing_or_too_much_stays_in_its_field(client, conversation, text, refusal):
    refused = client.post(page(conversation), {"answer-text": text})

    assert refusal in refused.content.decode()
    assert not Message.objects.exists()


def test_a_viewer_reads_and_does_not_answer(conversation):
    client = login(factories.make_user(conversation.project, Role.VIEWER))

    assert "answer-text" not in client.get(page(conversation)).content.decode()
    assert client.post(page(conversation), {"answer-text": "hello"}).status_code == 403


def test_where_no_channel_leads_to_the_contact_the_page_says_why(client, conversation):
    conversation.contact.identities.all().delete()

    shown = client.get(page(conversation)).content.decode()
    refused = client.post(page(conversation), {"answer-text": "hello"})

    assert "Nobody can be reached: The contact has no identity on any channel" in shown
    assert refused.status_code == 200
    assert not Message.objects.exists()


@pytest.mark.parametrize("where", ["contact", "app", "mode"])
def test_where_nobody_listens_there_is_no_answer(client, conversation, where):
    app, now = App.objects.filter(pk=conversation.app_id), clock.now()
    match where:
        case "contact":
            Conversation.objects.filter(pk=conversation.pk).update(contact=None, stopped_at=now)
        case "app":
            app.update(deleted_at=now)
        case "mode":
            app.update(processing_mode=ProcessingMode.DISPATCH)

    assert "answer-text" not in client.get(page(conversation)).content.decode()
    assert client.post(page(conversation), {"answer-text": "hello"}).status_code == 403


def test_an_answer_to_a_stopped_conversation_begins_the_next(client, conversation):
    conversation.stopped_at = clock.now()
    conversation.save()

    answer = client.post(page(conversation), {"answer-text": "hello"})

    message = Message.objects.get()
    assert message.conversation_id != conversation.pk
    assert message.conversation_id in answer.url
