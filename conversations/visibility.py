"""What may be read of what is stored, and deleted when somebody asks: everything, unless retention says otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from django.db.models import QuerySet

from conversations.models import Message, MessageQuerySet
from projects.models import App, ProcessingMode
from projects.wire import FailedPrecondition


class Rules(Protocol):
    """What a room above may restrict."""

    def storing(self, apps: Iterable[App], mode: ProcessingMode) -> list[App]:
        """The apps whose messages of this mode count as stored."""
        ...

    def hold(self, rows: QuerySet[Any]) -> bool:
        """Whether something of these messages, events, conversations or contacts may not be deleted now."""
        ...


class Held(FailedPrecondition):
    """A legal hold keeps what was to be deleted: release the hold first."""

    default_detail = "A legal hold keeps this: it cannot be deleted before the hold is released."


class EverythingIsServed:
    """The rules where nobody has installed others."""

    def storing(self, apps: Iterable[App], mode: ProcessingMode) -> list[App]:
        """All of them."""
        return list(apps)

    def hold(self, rows: QuerySet[Any]) -> bool:
        """Nothing is held."""
        return False


rules: Rules = EverythingIsServed()


def messages(project_id: Any, mode: ProcessingMode) -> MessageQuerySet:
    """The project's messages of this mode that the API may read."""
    stored = Message.objects.served_in(project_id).of_mode(mode)
    if mode == ProcessingMode.CONVERSATION:
        return stored
    return stored.filter(app__in=rules.storing(App.objects.living().filter(project=project_id), mode))


def refuse_if_held(rows: QuerySet[Any]) -> None:
    """Before a deletion that somebody asks for. Raises Held."""
    if rules.hold(rows):
        raise Held


def install(new: Rules) -> None:
    """Let these rules hold from now on; called when the app registry is ready."""
    global rules  # noqa: PLW0603 - the one inversion of the house
    rules = new
