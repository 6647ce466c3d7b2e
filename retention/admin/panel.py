"""What the pages say of an app's retention: the policy, what waits, what is owed, and every version before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from projects import authors, clock
from projects.models import App
from retention.deciding import approving, grounds, ruling
from retention.models import ChangeRequest, RetentionPolicy
from retention.policies import DEFAULT_TTL_DAYS, DEFAULT_TYPE, Scope

PRESETS: Final = (30, 90, 180, 365, 730, 3650)  # days; portal reference 3
SHOWN: Final = 5  # versions on the app's page: the history has all


@dataclass(frozen=True, slots=True)
class Step:
    """One version, and what it replaced."""

    version: RetentionPolicy
    before: str
    after: str
    by: str
    superseded_at: datetime | None
    is_void: bool  # it was replaced while it waited, and never ruled


def panel(app: App, scope: Scope = Scope.MESSAGES) -> dict[str, Any]:
    """What the app's page says of one policy."""
    now = clock.now()
    newest, in_force = ruling.newest(app=app, scope=scope), ruling.in_force(app=app, scope=scope, at=now)
    steps = history(app, scope)
    return {
        "app": app,
        "scope": scope,
        "policy": newest,
        "said": said(newest.retention_type, newest.ttl_days),
        "said_until_then": said(in_force.retention_type, in_force.ttl_days),
        "waiting": steps[0].version if steps and steps[0].version.effective_at > now else None,
        "dispatch": ruling.newest(app=app, scope=Scope.DISPATCH),
        "owed": grounds.open_item(app, scope),
        "request": open_request(app, scope, now=now),
        "steps": steps[:SHOWN],
        "is_cut": len(steps) > SHOWN,
        "presets": PRESETS,
    }


def open_request(app: App, scope: Scope, *, now: datetime) -> ChangeRequest | None:
    """The change that waits for a second person, while it can be approved."""
    asked = ChangeRequest.objects.filter(app=app, scope=scope, state=ChangeRequest.State.OPEN)
    request = asked.select_related("app", "asked_by").first()
    return request if request and approving.is_alive(request, now=now) else None


def history(app: App, scope: Scope = Scope.MESSAGES) -> list[Step]:
    """Every version, the newest first, each beside what it replaced."""
    versions = RetentionPolicy.objects.filter(app=app, scope=scope).newest_first()
    rows = versions.select_related(
        "author", "justification__given_by", "owed__justification", "request__decided_by"
    )
    return list(_steps(list(rows), scope))


def _steps(newest_first: list[RetentionPolicy], scope: Scope) -> Iterator[Step]:
    default = said(DEFAULT_TYPE, DEFAULT_TTL_DAYS[scope])
    keys = authors.keys_named(version.author_key for version in newest_first if version.author_key)
    befores = [*(str(version) for version in newest_first[1:]), default]
    replaced_at = [None, *(version.created_at for version in newest_first)]
    for version, before, superseded_at in zip(newest_first, befores, replaced_at, strict=False):
        yield Step(
            version=version,
            before=before,
            after=str(version),
            by=keys.get(version.author_key or "") or authors.named(version.author, None),
            superseded_at=superseded_at,
            is_void=superseded_at is not None and superseded_at < version.effective_at,
        )


def exported(step: Step) -> dict[str, Any]:
    """A version as JSON."""
    version, given = step.version, _ground_of(step.version)
    return {
        "number": version.number,
        "scope": version.scope,
        "retention_type": version.retention_type,
        "ttl_days": version.ttl_days,
        "replaced": step.before,
        "via": version.via,
        "author": version.author.get_username() if version.author else None,
        "author_key": version.author_key,
        "created_at": version.created_at,
        "effective_at": version.effective_at,
        "superseded_at": step.superseded_at,
        "took_effect": not step.is_void,
        "newly_due": version.newly_due,
        "justification": given and {
            "category": given.category, "reference": given.reference, "text": given.text,
            "review_on": given.review_on, "given_at": given.created_at, "given_via": given.given_via,
        },
        "owed": version.owed and {
            "state": version.owed.state, "opened_at": version.owed.opened_at, "due_at": version.owed.due_at,
            "closed_at": version.owed.closed_at,
        },
        "approved_by": _approver_of(version),
    }  # fmt: skip


def _ground_of(version: RetentionPolicy) -> Any:
    return version.justification or (version.owed and version.owed.justification)


def _approver_of(version: RetentionPolicy) -> str | None:
    request = getattr(version, "request", None)
    return request.decided_by.get_username() if request else None


def said(retention_type: str, ttl_days: int) -> str:
    """A policy in a few words."""
    return str(RetentionPolicy(retention_type=retention_type, ttl_days=ttl_days))
