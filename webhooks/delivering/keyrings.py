"""Keyrings: the secrets that sign for a receiver, more than one while it learns a new one."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from gateway import signing
from webhooks.models import RetiredSecret, Webhook


@dataclass(frozen=True, slots=True)
class Secret:
    """One of them. Its number tells it from the others; it alone may be logged."""

    number: int
    text: str = field(repr=False)


@dataclass(frozen=True)
class Keyring:
    """What a receiver may know us by, the newest first; empty where it shares no secret."""

    secrets: tuple[Secret, ...] = ()
    leader: Secret | None = None  # signs the header that has room for a single signature

    @classmethod
    def of_one(cls, text: str) -> Keyring:
        """A secret that never had another; empty for none."""
        secret = Secret(1, text)
        return cls((secret,), secret) if text else cls()

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The secrets themselves."""
        return tuple(secret.text for secret in self.secrets)

    @cached_property
    def numbers(self) -> str:
        """Which they are, for the log: "3, 2"."""
        return ", ".join(str(secret.number) for secret in self.secrets)

    def headers(self, body: bytes, *, event_id: str, signed_at: int) -> dict[str, str]:
        """Both families of headers, with a nonce of their own; `signed_at` in Unix seconds."""
        headers = signing.standard_headers(body, self.texts, message_id=event_id, timestamp=signed_at)
        if self.leader is None:
            return headers
        nonce = secrets.token_urlsafe(16)
        headers |= signing.headers(body, self.leader.text, nonce=nonce, timestamp=signed_at)
        return headers


def of_webhooks(webhooks: Iterable[Webhook]) -> dict[str, Keyring]:
    """By webhook id; in one query if any of them was given a new secret lately, else in none."""
    known = list(webhooks)
    overlapping = [webhook for webhook in known if webhook.overlap_ends_at]
    retired: dict[str, list[RetiredSecret]] = defaultdict(list)
    if overlapping:
        for one in RetiredSecret.objects.live().filter(webhook__in=overlapping).order_by("-number"):
            retired[one.webhook_id].append(one)
    return {webhook.id: _keyring(webhook, retired[webhook.id]) for webhook in known}


def _keyring(webhook: Webhook, retired: list[RetiredSecret]) -> Keyring:
    if not webhook.secret:
        return Keyring()
    newest = Secret(webhook.secret_number, webhook.secret)
    older = [Secret(one.number, one.secret) for one in retired]
    leading = [one.number for one in retired if one.leads]
    leader = next((secret for secret in older if leading and secret.number == leading[-1]), newest)
    return Keyring((newest, *older), leader)
