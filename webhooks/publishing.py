"""Publishing: an event and its deliveries are stored with what caused them, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from gateway import signing
from outbox import entries, statements
from projects import ids
from projects.models import App
from projects.requests.wire import timestamp
from webhooks.models import Attempt, DeadLetter, Event, TargetType, Webhook, WebhookQuerySet
from webhooks.triggers import BODY_KEYS, Trigger

# Kinds of the outbox's lanes. The refs of both are events; the owner of the one is a webhook, that of the
# other stands for all that an app sends to one server.
WEBHOOK = "webhook"
CALLBACK_URL = "callback_url"
_SERVERS = UUID("c2f2b0f8-5a8e-4b59-9d2b-6b1f0c7c3a10")  # made up once: the namespace of those owners
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an event is about: it fills the envelope, and says which message the event goes with."""

    accepted_time: datetime  # when this server took it in
    event_time: datetime  # when it happened
    message_id: str | None = None
    accept_time: datetime | None = None  # the message's; `accepted_time` where there is none
    message_metadata: str = ""
    correlation_id: str = ""


@transaction.atomic(savepoint=False)
def publish(
    *, app: App, trigger: Trigger, payload: Mapping[str, Any], about: About, callback_url: str = ""
) -> None:
    """Tell the app's webhooks that listen to the trigger, in the caller's transaction.

    Nothing is written when none does. A `callback_url` is told instead of them, whatever they listen to.
    """
    body = envelope(
        app_id=app.id, project_id=str(app.project_id), trigger=trigger, payload=payload, about=about
    )
    event = _event(app.id, trigger, signing.encode(body), about, callback_url=callback_url)
    ref = ids.to_uuid(event.id)
    if callback_url:
        entries.put(CALLBACK_URL, [(_server(app, callback_url), ref)], beside=[event])
        return
    question, terms = _listening(app, trigger)
    others = entries.put_found(WEBHOOK, question, terms, subject=event, ref=ref)
    _set_aside([(_Listener(*row), event) for row in others])


@transaction.atomic(savepoint=False)
def publish_in_project(
    *, project_id: Any, trigger: Trigger, payload: Mapping[str, Any], about: About
) -> None:
    """Tell the webhooks of every app of the project: contacts belong to all of them, so `app_id` is empty."""
    body = envelope(app_id="", project_id=str(project_id), trigger=trigger, payload=payload, about=about)
    encoded = signing.encode(body)  # once: every try signs and sends these bytes
    rows = statements.run(*_asked(Webhook.objects.listening_in(project_id, trigger)))
    listeners = [_Listener(*row) for row in rows]
    # Each app has its own copy: it goes when that app's retention says so.
    apps = {one.app_id for one in listeners}
    events = {app: _event(ids.from_uuid(app), trigger, encoded, about) for app in apps}
    called = [(one.id, ids.to_uuid(events[one.app_id].id)) for one in listeners if one.is_called]
    entries.put(WEBHOOK, called, beside=list(events.values()))
    _set_aside([(one, events[one.app_id]) for one in listeners if not one.is_called])


def envelope(
    *, app_id: str, project_id: str, trigger: Trigger, payload: Mapping[str, Any], about: About
) -> dict[str, Any]:
    """A callback as the subscriber reads it; its one body key says what happened."""
    body = {
        "app_id": app_id,
        "project_id": project_id,
        "accepted_time": timestamp(about.accepted_time),
        "event_time": timestamp(about.event_time),
        "message_metadata": about.message_metadata,
        "correlation_id": about.correlation_id,
        BODY_KEYS[trigger]: payload,
    }
    if trigger == Trigger.CONTACT_IDENTITIES_DUPLICATION:
        # One official client looks for the list here and nowhere else: wire contract, "Bodies".
        body["duplicated_identities"] = payload["duplicated_identities"]
    return body


@dataclass(frozen=True, slots=True)
class _Listener:
    """As much of a webhook as its events need, in the order in which it is asked for."""

    id: UUID
    is_called: bool
    target_type: str
    app_id: UUID


def _asked(webhooks: WebhookQuerySet) -> tuple[str, Sequence[Any]]:
    """The question who of them listens and is called, as the database reads it."""
    is_called = Q(target_type=TargetType.HTTP, disabled_at=None)
    columns = webhooks.annotate(is_called=is_called).values_list("id", "is_called", "target_type", "app_id")
    return columns.order_by("id").query.sql_with_params()


def _listening(app: App, trigger: Trigger) -> tuple[str, Sequence[Any]]:
    question, terms = _question(trigger)
    app_id = ids.to_uuid(app.id)
    return question, [app_id if term == _NOBODY else term for term in terms]


@cache
def _question(trigger: Trigger) -> tuple[str, Sequence[Any]]:
    """Composed once: it is asked with every event. The app's place is held by nobody's id."""
    return _asked(Webhook.objects.listening(App(id=ids.from_uuid(_NOBODY)), trigger))


def _server(app: App, callback_url: str) -> UUID:
    """The same for all of an app's URLs with one scheme, host and port: they do well or badly together."""
    parts = urlsplit(callback_url)
    return uuid5(_SERVERS, f"{app.id} {parts.scheme}://{parts.netloc.lower()}")


def _event(app_id: str, trigger: Trigger, body: bytes, about: About, *, callback_url: str = "") -> Event:
    return Event(
        app_id=app_id,
        trigger=trigger,
        body=body,
        callback_url=callback_url,
        message_id=about.message_id,
        accept_time=about.accept_time or about.accepted_time,
    )


def _set_aside(deliveries: Sequence[tuple[_Listener, Event]]) -> None:
    """Record what is not sent, or kept for later; no query when there is nothing."""
    _dismiss([pair for pair in deliveries if pair[0].target_type == TargetType.DISMISS])
    _bury([pair for pair in deliveries if pair[0].target_type == TargetType.HTTP])


def _bury(deliveries: Sequence[tuple[_Listener, Event]]) -> None:
    """Keep what comes while a webhook is switched off: it may be replayed."""
    DeadLetter.objects.bulk_create(
        DeadLetter(
            app_id=event.app_id,
            message_id=event.message_id,
            accept_time=event.accept_time,
            event_id=event.id,
            webhook_id=ids.from_uuid(listener.id),
            reason="disabled: it came while the webhook was switched off",
            attempts=0,
            died_at=Now(),
        )
        for listener, event in deliveries
    )


def _dismiss(deliveries: Sequence[tuple[_Listener, Event]]) -> None:
    Attempt.objects.bulk_create(
        Attempt(
            app_id=event.app_id,
            message_id=event.message_id,
            accept_time=event.accept_time,
            event_id=event.id,
            webhook_id=ids.from_uuid(listener.id),
            number=0,
            result=Attempt.Result.DISMISSED,
            started_at=Now(),
        )
        for listener, event in deliveries
    )
