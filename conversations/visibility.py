"""What the API may read of what is stored: everything, unless the room that rules over retention says otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from conversations.models import Message, MessageQuerySet
from projects.models import App, ProcessingMode


class Rules(Protocol):
    """What a room above may restrict."""

    def storing(self, apps: Iterable[App], mode: ProcessingMode) -> list[App]:
        """The apps whose messages of this mode count as stored."""
        ...


class EverythingIsServed:
    """The rules where nobody has installed others."""

    def storing(self, apps: Iterable[App], mode: ProcessingMode) -> list[App]:
        """All of them."""
        return list(apps)


rules: Rules = EverythingIsServed()


def messages(project_id: Any, mode: ProcessingMode) -> MessageQuerySet:
    """The project's messages of this mode that the API may read."""
    stored = Message.objects.served_in(project_id).of_mode(mode)
    if mode == ProcessingMode.CONVERSATION:
        return stored
    return stored.filter(app__in=rules.storing(App.objects.living().filter(project=project_id), mode))


def install(new: Rules) -> None:
    """Let these rules hold from now on; called when the app registry is ready."""
    global rules  # noqa: PLW0603 - the one inversion of the house
    rules = new
