"""What commands are given, as rows and moments; each raises CommandError with a sentence that says what it is not."""

import contextlib
import uuid
from datetime import UTC, datetime

from django.core.management.base import CommandError

from projects import clock, ids
from projects.models import App, Project


def project(text: str) -> Project:
    """The project with this id."""
    try:
        return Project.objects.get(pk=uuid.UUID(text))
    except (ValueError, Project.DoesNotExist):
        raise CommandError(f"There is no project with the id {text!r}.") from None


def app(text: str) -> App:
    """The app with this id, deleted ones included."""
    found = App.objects.filter(pk=text).first() if ids.is_ulid(text) else None
    if found is None:
        raise CommandError(f"There is no app with the id {text!r}.")
    return found


def moment(text: str) -> datetime:
    """A moment in ISO 8601 with its UTC offset, in UTC."""
    with contextlib.suppress(ValueError, OverflowError):
        given = datetime.fromisoformat(text)
        if given.tzinfo and given.astimezone(UTC) >= clock.EPOCH:
            return given.astimezone(UTC)
    raise CommandError(
        f"{text!r} is no moment since 1970 with a UTC offset, such as 2026-01-31T12:00:00.123456Z."
    )
