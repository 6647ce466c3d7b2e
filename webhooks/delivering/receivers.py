"""Receivers: where an event goes, what signs it there, and as whom this server asks to be let in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from outbox import statements
from outbox.kinds import Claimed
from projects import ids
from projects.models import App
from webhooks.delivering import keyrings
from webhooks.delivering.keyrings import Keyring
from webhooks.models import TokenRequestType, Webhook

USER_AGENT = "conversation-api-webhooks/1"  # how this server calls itself there


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """This server's OAuth 2 client at a receiver. Alike ones share a token."""

    endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    response_type: str
    request_type: TokenRequestType


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """Who gets an event: a webhook, or the callback_url that came with a message."""

    url: str
    keyring: Keyring
    webhook_id: str | None = None
    credentials: ClientCredentials | None = None
    replay_id: str | None = None  # of the replay that sends it again
    is_4xx_final: bool = False
    disabled_reason: str = ""  # empty: it may be called

    @cached_property
    def callback_url(self) -> str:
        """The URL that came with the message; empty for a webhook."""
        return "" if self.webhook_id else self.url

    @property
    def secret(self) -> str:
        """What signs the header that has room for one signature; empty for none."""
        return self.keyring.leader.text if self.keyring.leader else ""

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """What it must not show us again."""
        texts = self.keyring.texts
        return (*texts, self.credentials.client_secret) if self.credentials else texts


class Told(NamedTuple):
    """Of an event, what its receivers are told, and when they are."""

    id: str
    app_id: str
    body: bytes
    callback_url: str
    signed_at: int  # Unix seconds


Find = Callable[[Sequence[tuple[Claimed, Told]]], Mapping[int, Receiver]]

# PostgreSQL's own: which transaction wrote the row as it stands, and where. No two versions of a row share both.
_VERSION: Final = RawSQL("webhooks_webhook.xmin::text || webhooks_webhook.ctid::text", [])
_OWNERS: Final = object()  # where their ids go in the statement
_KEPT_AT_MOST: Final = 10_000
_known: dict[UUID, tuple[str, Receiver]] = {}  # by webhook, of which version: unsealing secrets is slow


def webhooks(deliveries: Sequence[tuple[Claimed, Told]]) -> dict[int, Receiver]:
    """By entry id the webhooks that own the entries' lanes, those that are switched off too.

    In one query, and another for webhooks that are not known as they stand now.
    """
    owners = list({claimed.owner for claimed, _ in deliveries})
    statement, terms = _versions()
    named = statements.uuids(owners)
    versions = dict(statements.run(statement, [named if term is _OWNERS else term for term in terms]))
    known = {owner: _known[owner][1] for owner in versions if _known.get(owner, ("",))[0] == versions[owner]}
    if strange := versions.keys() - known.keys():
        known |= _get_to_know(strange)
    return {claimed.id: found for claimed, _ in deliveries if (found := known.get(claimed.owner))}


@cache
def _versions() -> tuple[str, tuple[Any, ...]]:
    """How the webhooks of these lanes stand, composed once: it is asked with every batch."""
    owning = RawSQL("webhooks_webhook.id = ANY(%s::uuid[])", [_OWNERS], output_field=BooleanField())
    dialled = Webhook.objects.dialled().filter(owning).annotate(version=_VERSION)
    return dialled.values_list("pk", "version").query.sql_with_params()


def _get_to_know(owners: Collection[UUID]) -> dict[UUID, Receiver]:
    """These webhooks, from their rows; those whose secrets are changing over will be asked again."""
    if len(_known) > _KEPT_AT_MOST:
        _known.clear()
    webhook_ids = [ids.from_uuid(owner) for owner in owners]
    found = list(Webhook.objects.filter(pk__in=webhook_ids).annotate(version=_VERSION))
    receivers = {ids.to_uuid(id_): receiver for id_, receiver in of_webhooks(found).items()}
    for webhook in found:
        if webhook.overlap_ends_at is None:
            owner = ids.to_uuid(webhook.id)
            _known[owner] = webhook.version, receivers[owner]
    return receivers


def callback_urls(deliveries: Sequence[tuple[Claimed, Told]]) -> dict[int, Receiver]:
    """By entry id the URLs that the events themselves name, as far as their apps still live; in one query."""
    apps = App.objects.living().in_bulk({event.app_id for _, event in deliveries})
    keyrings_of = {app.id: Keyring.of_one(app.callback_secret) for app in apps.values()}
    return {
        claimed.id: Receiver(url=event.callback_url, keyring=keyrings_of[event.app_id])
        for claimed, event in deliveries
        if event.app_id in keyrings_of
    }


def of_webhook(webhook: Webhook) -> Receiver:
    """The webhook itself."""
    return of_webhooks([webhook])[webhook.id]


def of_webhooks(webhooks: Iterable[Webhook]) -> dict[str, Receiver]:
    """The webhooks themselves, by id."""
    known = list(webhooks)
    keyrings_of = keyrings.of_webhooks(known)
    return {webhook.id: _of_webhook(webhook, keyrings_of[webhook.id]) for webhook in known}


def _of_webhook(webhook: Webhook, keyring: Keyring) -> Receiver:
    return Receiver(
        url=webhook.target,
        keyring=keyring,
        webhook_id=webhook.id,
        credentials=_credentials(webhook) if webhook.client_id else None,
        is_4xx_final=webhook.is_4xx_final,
        disabled_reason=(webhook.disabled_reason or "switched off") if webhook.disabled_at else "",
    )


def _credentials(webhook: Webhook) -> ClientCredentials:
    return ClientCredentials(
        endpoint=webhook.token_endpoint,
        client_id=webhook.client_id,
        client_secret=webhook.client_secret,
        scope=webhook.token_scope,
        response_type=webhook.token_response_type,
        request_type=TokenRequestType(webhook.token_request_type),
    )
