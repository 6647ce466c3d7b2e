"""Makers of rows for tests: each gives what is asked and makes up the rest."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from contacts.models import ChannelIdentity, Contact
from conversations.composing import templates
from conversations.composing.templating import Wording
from conversations.models import Conversation, ConversationEvent, Direction, Message, Status, Template
from gateway.channels.base import Channel
from projects import clock, ids, keys
from projects.models import Account, App, ChannelCredential, Membership, ProcessingMode, Project, Role
from retention.deciding import changing
from retention.deciding.grounds import Ground
from retention.models import Category, Via
from retention.policies import DEFAULT_TYPE, Scope
from webhooks.models import Replay, TargetType, Webhook
from webhooks.triggers import Trigger

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PASSWORD = "a long enough password"
KEY = "01KVNTZ00000000000000000KE"  # whoever asked by API
_count = itertools.count(1)


def make_account(**fields: Any) -> Account:
    return Account.objects.create(**({"name": f"Account {next(_count)}"} | fields))


def make_project(**fields: Any) -> Project:
    fields.setdefault("account", None)
    fields["account"] = fields["account"] or make_account()
    return Project.objects.create(**({"name": f"Project {next(_count)}"} | fields))


def make_user(project: Project | None = None, role: Role = Role.ADMIN, **fields: Any) -> Any:
    """A person who may log in to the portal, and a member of the project if one is given."""
    name = fields.pop("username", f"person{next(_count)}")
    user = get_user_model().objects.create_user(name, password=PASSWORD, **({"is_staff": True} | fields))
    if project:
        Membership.objects.create(project=project, user=user, role=role)
    return user


def make_app(project: Project | None = None, **fields: Any) -> App:
    """An app with one SANDBOX credential, unless `channels` says otherwise."""
    channels = fields.pop("channels", [Channel.SANDBOX])
    secret = fields.pop("credential_callback_secret", "")
    app = App.objects.create(
        project=project or make_project(), **({"display_name": f"App {next(_count)}"} | fields)
    )
    for position, channel in enumerate(channels):
        make_credential(app, channel, position=position, callback_secret=secret)
    return app


def make_credential(app: App, channel: Channel = Channel.SANDBOX, **fields: Any) -> ChannelCredential:
    values = {"claimed_identity": "sender", "token": "a-token-of-enough-length"}
    fields = {"key": "static_bearer", "values": values, "position": app.credentials.count()} | fields
    return ChannelCredential.objects.create(app=app, channel=channel, **fields)


def make_contact(project: Project | None = None, *identities: Any, **fields: Any) -> Contact:
    """A contact; identities are "46700000010" for SANDBOX, or (channel, identity[, app])."""
    contact = Contact.objects.create(project=project or make_project(), **fields)
    for position, given in enumerate(identities):
        channel, identity, *app = (Channel.SANDBOX, given) if isinstance(given, str) else given
        ChannelIdentity.objects.create(
            contact=contact,
            project=contact.project,
            channel=channel,
            identity=identity,
            app=app[0] if app else None,
            position=position,
        )
    return contact


def make_conversation(app: App | None = None, contact: Contact | None = None, **fields: Any) -> Conversation:
    """An empty one; `created_at` may be given."""
    app = app or make_app()
    contact = contact or make_contact(app.project, f"4670{next(_count):05d}10")
    created_at = fields.pop("created_at", None)
    conversation = Conversation.objects.create(project=app.project, app=app, contact=contact, **fields)
    if created_at:
        Conversation.objects.filter(pk=conversation.pk).update(created_at=created_at)
        conversation.refresh_from_db()
    return conversation


def make_message(
    app: App | None = None,
    *,
    conversation: Conversation | None = None,
    accept_time: datetime = NOW,
    direction: Direction = Direction.TO_CONTACT,
    **fields: Any,
) -> Message:
    """A stored message, as old as asked; its conversation knows of it."""
    dispatched = fields.get("processing_mode") == ProcessingMode.DISPATCH
    if conversation is None and not dispatched:
        conversation = make_conversation(app)
    app = app or (conversation.app if conversation else make_app())
    defaults: dict[str, Any] = {
        "content": {"text_message": {"text": "hello"}},
        "processing_mode": ProcessingMode.CONVERSATION,
        "status": Status.DELIVERED
        if direction == Direction.TO_CONTACT and not fields.get("injected")
        else "",
        "channel": Channel.SANDBOX,
        "identity": "46700000010",
    }
    message = Message.objects.create(
        project_id=app.project_id,
        app=app,
        conversation=conversation,
        accept_time=accept_time,
        direction=direction,
        **(defaults | fields),
    )
    if conversation:
        newest = max(filter(None, [conversation.newest_accept_time, accept_time]))
        ever = max(filter(None, [conversation.newest_ever_accept_time, accept_time]))
        conversation.newest_accept_time, conversation.newest_ever_accept_time = newest, ever
        conversation.save(update_fields=["newest_accept_time", "newest_ever_accept_time"])
    return message


def make_event(
    conversation: Conversation | None = None,
    *,
    app: App | None = None,
    accept_time: datetime = NOW,
    **fields: Any,
) -> ConversationEvent:
    """An event that was sent, in a conversation or dispatched by an app."""
    app = conversation.app if conversation else app or make_app()
    defaults: dict[str, Any] = {
        "direction": Direction.TO_CONTACT,
        "content": {"app_event": {"composing_event": {}}},
        "processing_mode": ProcessingMode.CONVERSATION,
        "status": Status.DELIVERED,
        "channel": Channel.SANDBOX,
        "identity": "46700000010",
    }
    return ConversationEvent.objects.create(
        project_id=app.project_id,
        app=app,
        conversation=conversation,
        accept_time=accept_time,
        **(defaults | fields),
    )


def keep_dispatched(app: App, ttl_days: int = 7) -> None:
    """Let the app's dispatched messages be stored: by default they are kept for their receipt alone."""
    ground = Ground(
        category=Category.CONTRACT, reference="", text="We look at what was dispatched for a week."
    )
    changing.change(
        app=app,
        retention_type=DEFAULT_TYPE,
        ttl_days=ttl_days,
        scope=Scope.DISPATCH,
        via=Via.API,
        author_key=KEY,
        ground=ground,
        now=clock.now(),
    )


def make_webhook(app: App, target: str = "https://hooks.example.com/", **fields: Any) -> Webhook:
    """An HTTP webhook that listens to everything."""
    defaults = {"target_type": TargetType.HTTP, "triggers": list(Trigger), "secret": "a-webhook-secret"}
    return Webhook.objects.create(project_id=app.project_id, app=app, target=target, **(defaults | fields))


def make_replay(webhook: Webhook, **fields: Any) -> Replay:
    """Of an hour in which nothing happened; it runs."""
    span = {"start_time": NOW - timedelta(hours=1), "end_time": NOW}
    return Replay.objects.create(
        webhook=webhook, **(span | {"count": 0, "asked_by": "somebody", "asked_at": NOW} | fields)
    )


def make_template(project: Project | None = None, *wordings: Wording, **fields: Any) -> Template:
    """A template; unless wordings are given it greets in English, as its version 1."""
    greeting = Wording("en-US", "1", {"text_message": {"text": "Hello ${name}"}})
    wanted = templates.Wanted(
        description=fields.get("description", ""),
        default_translation=fields.get("default_translation", "en-US"),
        wordings=wordings or [greeting],
    )
    return templates.create(
        wanted,
        project_id=(project or make_project()).id,
        public_id=fields.get("public_id", ids.ulid()),
        now=fields.get("now", NOW),
    )


def api_client(project: Project) -> APIClient:
    """A client that holds a bearer token of the project."""
    key, secret = keys.issue(project=project)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {keys.token(keys.identify(key.id, secret))}")
    return client


def path(project: Project, rest: str, *, version: int = 1) -> str:
    """An API path of the project."""
    return f"/v{version}/projects/{project.id}/{rest}"
