"""Receivers: where an event goes, what signs it there, and as whom this server asks to be let in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from outbox.kinds import Claimed
from projects import ids
from projects.models import App
from webhooks.models import Event, TokenRequestType, Webhook

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who gets an event: a webhook, or the callback_url that came with a message."""

    url: str
    secret: str = field(repr=False)
    webhook_id: str | None = None
    credentials: ClientCredentials | None = None

    @property
    def callback_url(self) -> str:
        """The URL that came with the message; empty for a webhook."""
        return "" if self.webhook_id else self.url


Find = Callable[[Sequence[tuple[Claimed, Event]]], Mapping[int, Receiver]]


def webhooks(deliveries: Sequence[tuple[Claimed, Event]]) -> dict[int, Receiver]:
    """By entry id the webhooks that own the entries' lanes, as far as they are still called; in one query."""
    owners = {claimed.id: ids.from_uuid(claimed.owner) for claimed, _ in deliveries}
    called = Webhook.objects.called().in_bulk(set(owners.values()))
    receivers = {webhook.id: _of_webhook(webhook) for webhook in called.values()}
    return {entry_id: receivers[owner] for entry_id, owner in owners.items() if owner in receivers}


def callback_urls(deliveries: Sequence[tuple[Claimed, Event]]) -> dict[int, Receiver]:
    """By entry id the URLs that the events themselves name, as far as their apps still live; in one query."""
    apps = App.objects.living().in_bulk({event.app_id for _, event in deliveries})
    secrets = {app.id: app.callback_secret for app in apps.values()}
    return {
        claimed.id: Receiver(url=event.callback_url, secret=secrets[event.app_id])
        for claimed, event in deliveries
        if event.app_id in secrets
    }


def _of_webhook(webhook: Webhook) -> Receiver:
    return Receiver(
        url=webhook.target,
        secret=webhook.secret,
        webhook_id=webhook.id,
        credentials=_credentials(webhook) if webhook.client_id else None,
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
