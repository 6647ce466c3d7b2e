"""`manage.py demo` fills the demo project, once."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from contacts.models import Contact
from conversations.models import Direction, Message
from projects.models import App
from tests import factories

pytestmark = pytest.mark.django_db


def test_it_makes_apps_and_people_who_talk_in_both_directions():
    project = factories.make_project(name="Demo")

    call_command("demo")

    assert App.objects.filter(project=project).count() == 2
    assert Contact.objects.filter(project=project).count() == 8
    assert {message.direction for message in Message.objects.all()} == set(Direction)


def test_a_second_run_adds_nothing_and_says_so(capsys):
    factories.make_project(name="Demo")
    call_command("demo")
    before = Message.objects.count()

    call_command("demo")

    assert "is filled already" in capsys.readouterr().out
    assert Message.objects.count() == before


@override_settings(CHANNELS_SANDBOXED=frozenset())
def test_it_uses_no_channel_that_reaches_a_provider():
    factories.make_project(name="Demo")

    call_command("demo")

    assert set(Message.objects.values_list("channel", flat=True)) == {"SANDBOX"}


@pytest.mark.parametrize("project_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_project_is_refused_in_one_sentence(project_id):
    with pytest.raises(CommandError, match="There is no project"):
        call_command("demo", project=project_id)


def test_without_a_demo_project_it_says_how_to_get_one():
    with pytest.raises(CommandError, match="make run"):
        call_command("demo")
