"""Destructive changes from the portal: the number typed back, and a second person where the project demands one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction

from projects.models import App
from retention.deciding import changing, ruling
from retention.deciding.grounds import Ground
from retention.models import ChangeRequest, RetentionPolicy, Via
from retention.policies import Scope

DRIFT: Final = 0.05  # by which a number may move between its preview and the change

# NotApproved
# ├── Decided        somebody was faster: look at what they decided
# ├── Lapsed         the policy, the day or the number is another: ask again
# └── OwnRequest     another person must do it
State = ChangeRequest.State


class NotApproved(Exception):
    """The change was not made."""


class Decided(NotApproved):
    """The request is closed."""


class Lapsed(NotApproved):
    """What was previewed is not so any more."""


class OwnRequest(NotApproved):
    """Nobody approves their own change."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The number that somebody was shown, and the one they typed back."""

    typed: int | None = None
    shown: int | None = None  # None: nothing was previewed


def propose(
    *,
    app: App,
    retention_type: str,
    ttl_days: int,
    scope: Scope = Scope.MESSAGES,
    author: Any,
    ground: Ground | None = None,
    confirmation: Confirmation,
    now: datetime,
) -> RetentionPolicy | ChangeRequest | None:
    """Change the policy, or ask a second person to; None when it is set already.

    Raises ValidationError by field, as `changing.change`; `confirmed` when the number was not typed back.
    """
    policy: dict[str, Any] = {"retention_type": retention_type, "ttl_days": ttl_days, "scope": scope}
    with transaction.atomic():
        replaces = ruling.newest(app=app, scope=scope).number
        version = changing.change(app=app, **policy, via=Via.PORTAL, author=author, ground=ground, now=now)
        if version is None or version.effective_at == version.created_at:
            return version
        _confirm(version.newly_due, confirmation)
        if not app.project.demands_four_eyes:
            return version
        transaction.set_rollback(True)  # it was tried alone: it can be made, and this is what it would cost
    return _ask(policy, version.newly_due, app=app, author=author, ground=ground, replaces=replaces, now=now)


def approve(request: ChangeRequest, *, approver: Any, now: datetime) -> RetentionPolicy:
    """Make the change that another person asked for. Raises NotApproved."""
    with transaction.atomic():
        current = _held(request)
        if current.asked_by_id == approver.pk:
            raise OwnRequest("Nobody approves their own change: another person must.")
        version = _made(current, now=now)
        if version:
            _close(current, State.APPROVED, by=approver, now=now, version=version)
            return version
        _close(current, State.LAPSED, by=None, now=now)
    raise Lapsed(
        "The policy, or what it would delete, is no longer what was previewed: it must be asked for again."
    )


@transaction.atomic
def decline(request: ChangeRequest, *, by: Any, now: datetime) -> None:
    """Refuse the change; whoever asked for it withdraws it. Raises Decided."""
    current = _held(request)
    state = State.WITHDRAWN if current.asked_by_id == by.pk else State.DECLINED
    _close(current, state, by=by, now=now)


def is_alive(request: ChangeRequest, *, now: datetime) -> bool:
    """Whether it can still be approved, as far as one sees without counting again."""
    if request.state != State.OPEN or request.expires_at <= now:
        return False
    return ruling.newest(app=request.app, scope=Scope(request.scope)).number == request.replaces


def has_moved(number: int, shown: int) -> bool:
    """Whether what was shown is no longer what would happen."""
    return abs(number - shown) > DRIFT * shown


def _confirm(number: int, confirmation: Confirmation) -> None:
    shown = number if confirmation.shown is None else confirmation.shown
    rows = f"{number:,} messages and conversations" if number != 1 else "1 message or conversation"
    rows = rows if number else "Events, or more than could be counted,"
    if has_moved(number, shown):
        refusal = f"Since the preview the number has moved from {shown:,} to {number:,}. Look again, then type {number}."
    elif confirmation.typed is None:
        refusal = f"{rows} become due by this change. Type the number {shown} to confirm it."
    elif confirmation.typed != shown:
        refusal = f"{confirmation.typed} is not the number: {rows} become due. Type {shown} to confirm it."
    else:
        return
    raise ValidationError({"confirmed": refusal})


def _ask(
    policy: dict[str, Any],
    newly_due: int,
    *,
    app: App,
    author: Any,
    ground: Ground | None,
    replaces: int,
    now: datetime,
) -> ChangeRequest:
    with transaction.atomic():
        App.objects.living().select_for_update(no_key=True).get(pk=app.pk)
        for earlier in ChangeRequest.objects.filter(app=app, scope=policy["scope"], state=State.OPEN):
            _close(earlier, State.LAPSED, by=None, now=now)
        given = ground or Ground("", "", "")
        return ChangeRequest.objects.create(
            app=app,
            **policy,
            category=given.category,
            reference=given.reference,
            text=given.text,
            review_on=given.review_on,
            replaces=replaces,
            newly_due=newly_due,
            asked_by=author,
            asked_at=now,
            expires_at=now + ChangeRequest.LIFE,
        )


def _held(request: ChangeRequest) -> ChangeRequest:
    """The open request, with its app, which nobody else changes until the end of the transaction. Raises Decided."""
    App.objects.select_for_update(no_key=True).get(pk=request.app_id)
    current = ChangeRequest.objects.select_related("app", "asked_by").get(pk=request.pk)
    if current.state != State.OPEN:
        raise Decided(f"The request is closed: {current.get_state_display().lower()}.")
    return current


def _made(request: ChangeRequest, *, now: datetime) -> RetentionPolicy | None:
    """The version that was asked for; None, and nothing is made, when it is no longer what was previewed."""
    if not is_alive(request, now=now) or request.app.deleted_at:
        return None
    with transaction.atomic():
        version = changing.change(
            app=request.app,
            retention_type=request.retention_type,
            ttl_days=request.ttl_days,
            scope=Scope(request.scope),
            via=Via.PORTAL,
            author=request.asked_by,
            ground=_ground(request),
            now=now,
        )
        if version and not has_moved(version.newly_due, request.newly_due):
            return version
        transaction.set_rollback(True)
    return None


def _ground(request: ChangeRequest) -> Ground | None:
    if not request.category:
        return None
    return Ground(request.category, request.reference, request.text, request.review_on)


def _close(
    request: ChangeRequest, state: State, *, by: Any, now: datetime, version: RetentionPolicy | None = None
) -> None:
    request.state, request.decided_by, request.decided_at, request.version = state, by, now, version
    request.save(update_fields=["state", "decided_by", "decided_at", "version"])
