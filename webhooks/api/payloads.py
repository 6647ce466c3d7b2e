"""Webhooks as the API answers them."""

from __future__ import annotations

from typing import Any

from gateway.channels.credentials import mask
from webhooks.models import Webhook


def webhook(webhook: Webhook) -> dict[str, Any]:
    """Wire contract, "Webhook": everything spelt out, secrets masked."""
    return {
        "id": webhook.id,
        "app_id": webhook.app_id,
        "target": webhook.target,
        "target_type": webhook.target_type,
        "secret": mask(webhook.secret),
        "triggers": webhook.triggers,
        "client_credentials": _client_credentials(webhook) if webhook.client_id else None,
        "is_4xx_final": webhook.is_4xx_final,  # our extension
    }


def _client_credentials(webhook: Webhook) -> dict[str, Any]:
    return {
        "client_id": webhook.client_id,
        "client_secret": mask(webhook.client_secret),
        "endpoint": webhook.token_endpoint,
        "scope": webhook.token_scope,
        "response_type": webhook.token_response_type,
        "token_request_type": webhook.token_request_type,
    }
