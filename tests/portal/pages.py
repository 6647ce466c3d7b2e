"""What the tests of the portal's pages share: a project full of rows, people in it, and all its addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from django.contrib import admin
from django.test import Client
from django.urls import reverse

from conversations.deleting import Gone
from projects import clock, ids, keys
from projects.models import Project
from retention import holding
from retention.deciding import changing
from retention.models import ChangeRequest, HoldScope, PrivacyRequest, Purge, Via
from retention.privacy import requests
from retention.proving import ledger
from tests import factories
from webhooks.models import Attempt, DeadLetter, Event
from webhooks.triggers import Trigger

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
VIEWS = ("change", "delete", "history")
OWN_VIEWS = {
    "projects.accesskey": ["revoke"],
    "contacts.contact": ["simulate"],
    "projects.app": ["retention_history", "retention_cancel", "retention_dispatch"],
    "retention.oweditem": ["settle"],
    "retention.purge": ["printed"],
    "webhooks.webhook": ["log", "replay", "secret", "test", "verify"],
}


@dataclass(frozen=True)
class World:
    """One project with a row in every table that the portal shows, each named after it."""

    name: str
    project: Project
    rows: dict[str, Any]  # by model label


def make_world(name: str) -> World:
    """Every name in it holds `name`, so that a page that shows one gives it away."""
    account = factories.make_account(name=f"{name} account")
    project = factories.make_project(name=f"{name} project", account=account)
    user = factories.make_user(project, username=f"{name}-admin")
    app = factories.make_app(project, display_name=f"{name} app")
    contact = factories.make_contact(project, "46700000010", display_name=f"{name} contact")
    conversation = factories.make_conversation(app, contact)
    message = factories.make_message(
        conversation=conversation, accept_time=clock.now(), content={"text_message": {"text": f"{name} text"}}
    )
    template = factories.make_template(project, description=f"{name} template")
    webhook = factories.make_webhook(app, f"https://{name}.example.com/")
    key, _ = keys.issue(project=project, name=f"{name} key")
    owed = _owe(app, key)
    policy = _justify(app, user, f"{name} needs its messages for a month and not for half a year.")
    asked = _ask(app, user)
    privacy = requests.receive(
        contact, kind=PrivacyRequest.Kind.ERASURE, identity_check=f"{name} number", by=user, now=clock.now()
    )
    hold = holding.place(
        project=project,
        scope=HoldScope.APP,
        app=app,
        matter=f"{name} matter",
        accept_until=LONG_AGO,
        by=user,
        now=clock.now(),
    )
    rows = [account, project, user, asked, privacy, hold, _purge(app), user.memberships.get(), app, app.credentials.get(), key, contact, conversation,
            message, template, webhook, owed, policy, policy.justification, *_events(webhook, message)]  # fmt: skip
    return World(name, project, {row._meta.label_lower: row for row in rows})


def _owe(app: Any, key: Any) -> Any:
    version = changing.change(
        app=app, retention_type="PERSIST_RETENTION_POLICY", ttl_days=180, via=Via.API, author_key=key.pk,
        now=clock.now(),
    )  # fmt: skip
    assert version is not None
    return version.owed


def _justify(app: Any, user: Any, text: str) -> Any:
    ground = changing.Ground("DATA_MINIMISATION", "", text)
    return changing.change(
        app=app, retention_type="MESSAGE_EXPIRE_POLICY", ttl_days=30, via=Via.PORTAL, author=user, ground=ground,
        now=clock.now() + timedelta(seconds=1),
    )  # fmt: skip


def _ask(app: Any, user: Any) -> Any:
    now = clock.now()
    return ChangeRequest.objects.create(
        app=app, retention_type="MESSAGE_EXPIRE_POLICY", ttl_days=1, category="DATA_MINIMISATION", replaces=2,
        text=f"{user} wants them for a day and not for longer than that.", newly_due=1, asked_by=user,
        asked_at=now, expires_at=now + ChangeRequest.LIFE,
    )  # fmt: skip


def _purge(app: Any) -> Any:
    """A run that deleted one message of another conversation."""
    gone = Gone(ids.to_uuid(ids.ulid()).bytes)
    deletion = ledger.Deletion(messages=gone, cutoff=clock.now())
    batch = ledger.prove(app=app, kind=Purge.Kind.REMOVAL, reference="", deletion=deletion, now=clock.now())
    assert batch is not None
    return batch.purge


def _events(webhook: Any, message: Any) -> list[Any]:
    of = {"app": message.app, "message_id": message.pk, "accept_time": message.accept_time}
    event = Event.objects.create(
        **of, trigger=Trigger.MESSAGE_INBOUND, body=b'{"text": "of %s"}' % webhook.target.encode()
    )
    tried = {"event_id": event.pk, "webhook": webhook}
    attempt = Attempt.objects.create(
        **of, **tried, number=1, result="GIVEN_UP", started_at=message.accept_time
    )
    dead = DeadLetter.objects.create(
        **of, **tried, reason=f"{webhook.target} is gone", attempts=1, died_at=message.accept_time
    )
    return [event, attempt, dead]


def login(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def list_addresses() -> Iterator[str]:
    """Every list and every blank form."""
    for model in admin.site._registry:
        for view in ("changelist", "add"):
            yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}")


def row_addresses(label: str, pk: Any) -> Iterator[str]:
    """Every page of one row, its own views included."""
    prefix = f"admin:{label.replace('.', '_')}"
    for view in VIEWS:
        yield reverse(f"{prefix}_{view}", args=[pk])
    for own in OWN_VIEWS.get(label, []):
        yield reverse(f"{prefix}_{own}", args=[pk])


def missing_pk(row: Any) -> Any:
    """An id of the same shape that no row has."""
    if isinstance(row.pk, int):
        return 2_000_000_000
    return ids.ulid() if isinstance(row.pk, str) else "00000000-0000-4000-8000-000000000000"


class Inline(HTMLParser):
    """Collects what a strict policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [f"{tag} {name}" for name in names if name == "style" or name.startswith("on")]
        for name in ("src", "href", "action"):
            if (names.get(name) or "").startswith(("http://", "https://", "//", "javascript:")):
                self.found.append(f"{tag} {name}={names[name]}")


def refused_by_policy(html: str) -> list[str]:
    """Inline scripts and styles, and what is loaded from elsewhere."""
    parser = Inline()
    parser.feed(html)
    return [found for found in parser.found if not found.startswith("a href")]


class Form(HTMLParser):
    """What a browser would send back of the page's form, as it stands."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.is_inside = form_id, False
        self.data: dict[str, Any] = {}
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        match tag:
            case "form":
                self.is_inside = given.get("id") == self.form_id
            case "input" if self.is_inside and given.get("type") not in ("submit", "checkbox", "radio"):
                self.data[name] = value
            case "input" if self.is_inside and given.get("type") == "radio" and "checked" in given:
                self.data[name] = value
            case "input" if self.is_inside and given.get("type") == "checkbox" and "checked" in given:
                self.data.setdefault(name, []).append(value or "on")
            case "select":
                self._select = name
            case "option" if self.is_inside and ("selected" in given or self._select not in self.data):
                self.data[self._select] = value
            case "textarea" if self.is_inside:
                self._textarea = name
                self.data[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        if tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.data[self._textarea] += data.removeprefix("\r\n")


def form_of(client: Client, address: str, form_id: str) -> dict[str, Any]:
    """The form's fields and values."""
    form = Form(form_id)
    form.feed(client.get(address).content.decode())
    return form.data


def save_app(client: Client, app: Any, **fields: Any) -> Any:
    """Send the app's page back with these fields changed."""
    address = reverse("admin:projects_app_change", args=[app.pk])
    return client.post(address, form_of(client, address, "app_form") | fields)
