"""Who did something, as pages and certificates say it: a person by name, a program by its key and project."""

from __future__ import annotations

from collections.abc import Iterable

from projects.models import AccessKey, User


def named(person: User | None, key_id: str | None) -> str:
    """“Ada Lovelace”, “API key deploy (01J8…) of project Shop”, or “the system” where nobody is known."""
    if person:
        return person.get_full_name() or person.get_username()
    return keys_named([key_id])[key_id] if key_id else "the system"


def keys_named(key_ids: Iterable[str]) -> dict[str, str]:
    """The same for many keys, with one query; a key that is gone is known by its id."""
    wanted = set(key_ids)
    found = AccessKey.objects.filter(pk__in=wanted).select_related("project") if wanted else []
    return {key_id: f"API key {key_id}" for key_id in wanted} | {key.pk: _named(key) for key in found}


def _named(key: AccessKey) -> str:
    name = f"{key.name} ({key.pk})" if key.name else key.pk
    return f"API key {name} of project {key.project}"
