"""Templates are written, changed and looked up; of their translations every version is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from conversations.composing import templating
from conversations.composing.templating import LATEST, Known, Wording
from conversations.models import Message, Template, TemplateTranslation
from gateway.channels.base import Channel

K = TypeVar("K")  # whatever refers to a template

UNNAMED: Final = ("", LATEST)  # versions that are for us to name
_LONGEST_NUMBER: Final = 18  # digits: what is longer is a name, and nobody counts on from it
_CONTENT: Final = ("language_code", "message", "channel_template_overrides", "variables")


# Exception
# ├── Taken   choose another id, or change the template that has it
# └── Stale   read the template again, then change it


class Taken(Exception):
    """The project has a template with this id."""


class Stale(Exception):
    """Somebody has changed the template meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a template shall be."""

    description: str
    default_translation: str
    wordings: Sequence[Wording]


@dataclass(frozen=True, slots=True)
class _Reference:
    """A message's reference to a template."""

    project_id: UUID
    public_id: str
    version: str


@transaction.atomic
def create(wanted: Wanted, *, project_id: UUID, public_id: str, now: datetime) -> Template:
    """A new template of the project. Raises Taken."""
    try:
        with transaction.atomic():
            template = Template.objects.create(
                project_id=project_id, public_id=public_id, created_at=now, updated_at=now,
                description=wanted.description, default_translation=wanted.default_translation,
            )  # fmt: skip
    except IntegrityError as error:
        raise Taken(f"The project has a template with the id {public_id!r}.") from error
    _translate(template, wanted.wordings, now)
    return template


def change(template: Template, wanted: Wanted, *, seen: int, now: datetime) -> None:
    """Replace it whole, and count its version up. `seen` is the version that the change starts from.

    The caller holds the template's row. Raises Stale.
    """
    if seen != template.version:
        raise Stale(f"The template is at version {template.version}, not {seen}.")
    template.description = wanted.description
    template.default_translation = wanted.default_translation
    template.version += 1
    template.updated_at = now
    template.save(update_fields=["description", "default_translation", "version", "updated_at"])
    _translate(template, wanted.wordings, now)


def of_messages(messages: Iterable[Message]) -> Mapping[str, Known]:
    """By a message's id, the template that it refers to on its channel: one query, none where none refers to any."""
    return _referred_to(
        {
            message.id: _Reference(message.project_id, wanted["template_id"], wanted["version"])
            for message in messages
            if (wanted := templating.reference(message.content, message.channel))
        }
    )


def of_channels(
    content: Mapping[str, Any], channels: Iterable[Channel], *, project_id: UUID
) -> Mapping[Channel, Known]:
    """By channel, the template that this AppMessage refers to there: one query at most."""
    return _referred_to(
        {
            channel: _Reference(project_id, wanted["template_id"], wanted["version"])
            for channel in channels
            if (wanted := templating.reference(content, channel))
        }
    )


def _referred_to(wanted: Mapping[K, _Reference]) -> Mapping[K, Known]:
    """Those that are there, with the wordings that are current and those of the versions referred to."""
    if not wanted:
        return {}
    rows = TemplateTranslation.objects.filter(
        Q(position__isnull=False) | Q(version__in={one.version for one in wanted.values()}),
        template__project__in={one.project_id for one in wanted.values()},
        template__public_id__in={one.public_id for one in wanted.values()},
    )
    found: dict[tuple[UUID, str], list[TemplateTranslation]] = defaultdict(list)
    for row in rows.select_related("template"):
        found[row.template.project_id, row.template.public_id].append(row)
    return {
        key: known(translations[0].template, translations)
        for key, one in wanted.items()
        if (translations := found.get((one.project_id, one.public_id)))
    }


def known(template: Template, translations: Iterable[TemplateTranslation]) -> Known:
    """The template as it is filled in."""
    current: list[Wording] = []
    kept: list[Wording] = []
    for row in translations:
        (kept if row.position is None else current).append(row.wording)
    return Known(template.default_translation, current, kept)


def numbered(given: Sequence[Wording], *, before: Known) -> list[Wording]:
    """Each with a version of its own: the one that it names, else the next of its language.

    Who reads a template sees the newest wording of a language twice, once as "latest". Sent back unchanged beside
    its numbered self, that one is left out.
    """
    listed: list[Wording] = []
    for one in given:
        if one.version not in UNNAMED:
            listed.append(one)
            continue
        beside = [other for other in given if other.language == one.language and other.version not in UNNAMED]
        newest = [other for other in before.current if other.language == one.language][-1:]
        same = [other for other in [*newest, *beside] if other.says_the_same_as(one)]
        if not same:
            versions = _versions(one.language, [*before.current, *before.kept, *given, *listed])
            listed.append(replace(one, version=str(max(versions, default=0) + 1)))
        elif not beside:
            listed.append(replace(one, version=same[0].version))
    return listed


def _versions(language: str, wordings: Iterable[Wording]) -> list[int]:
    return [int(one.version) for one in wordings if one.language == language and _is_number(one.version)]


def _is_number(version: str) -> bool:
    return version.isascii() and version.isdigit() and len(version) <= _LONGEST_NUMBER


def _translate(template: Template, wordings: Sequence[Wording], now: datetime) -> None:
    """List these and no others; what is no longer listed is kept."""
    rows = {(row.wording.language, row.version): row for row in template.translations.all()}
    listed = numbered(wordings, before=known(template, rows.values()))
    for row in rows.values():
        row.position = None
    for position, one in enumerate(listed):
        new = TemplateTranslation(template=template, version=one.version, created_at=now, updated_at=now)
        _write(rows.setdefault((one.language, one.version), new), one, position, now)
    stored = [row for row in rows.values() if row.pk]
    TemplateTranslation.objects.bulk_create([row for row in rows.values() if not row.pk])
    TemplateTranslation.objects.bulk_update(stored, [*_CONTENT, "position", "updated_at"])


def _write(row: TemplateTranslation, one: Wording, position: int, now: datetime) -> None:
    if not row.wording.says_the_same_as(one):
        row.updated_at = now
    row.position = position
    for name in _CONTENT:
        setattr(row, name, getattr(one, name))
