"""How an app looks on the wire, with what each room knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conversations.reaching import backlog
from gateway.channels.credentials import mask, masked
from projects.models import App, ChannelCredential
from retention.deciding import ruling
from retention.deciding.ruling import Policy
from retention.policies import Scope


def app(row: App) -> dict[str, Any]:
    """The contract's App."""
    return apps([row])[0]


def apps(rows: Sequence[App]) -> list[dict[str, Any]]:
    """The contract's Apps, in two queries for them all; their credentials are prefetched."""
    policies = ruling.newest_of(rows)
    waiting = backlog.waiting([credential for row in rows for credential in row.credentials.all()])
    return [_app(row, policies, waiting) for row in rows]


def _app(
    row: App, policies: Mapping[tuple[str, Scope], Policy], waiting: Mapping[str, int]
) -> dict[str, Any]:
    credentials = row.credentials.all()
    return {
        "id": row.id,
        "display_name": row.display_name,
        "channel_credentials": [_credential(credential) for credential in credentials],
        "conversation_metadata_report_view": row.conversation_metadata_report_view,
        "retention_policy": _policy(policies[row.id, Scope.MESSAGES]),
        "dispatch_retention_policy": _policy(policies[row.id, Scope.DISPATCH]),
        "processing_mode": row.processing_mode,
        "smart_conversation": {"enabled": row.smart_conversation},
        "callback_settings": {"secret_for_overridden_callback_urls": mask(row.callback_secret)},
        "message_retry_settings": {"retry_duration": row.retry_duration},
        "delivery_report_based_fallback": {
            "enabled": row.fallback_enabled,
            "delivery_report_waiting_time": row.fallback_waiting_time,
        },
        "rate_limits": {
            "inbound": row.inbound_rate, "outbound": row.outbound_rate, "webhooks": row.webhook_rate,
        },
        "queue_stats": {
            "outbound_size": sum(waiting.get(credential.id, 0) for credential in credentials),
            "outbound_limit": backlog.LIMIT,
        },
        # Every status is stored; searching messages is no part of this server.
        "persist_message_status": {"enabled": True},
        "message_search": {"enabled": False},
    }  # fmt: skip


def _credential(row: ChannelCredential) -> dict[str, Any]:
    return {
        "channel": row.channel,
        row.key: masked(row.values, row.key),
        "callback_secret": mask(row.callback_secret),
        "credential_ordinal_number": row.ordinal_number,
        "state": {"status": row.status, "description": row.status_description},
        "channel_known_id": row.channel_known_id,
        "callback_url": row.callback_url,  # our extension: what to enter at the provider
    }


def _policy(policy: Policy) -> dict[str, Any]:
    return {"retention_type": policy.retention_type, "ttl_days": policy.ttl_days}
