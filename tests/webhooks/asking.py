"""The API of webhooks, asked as its clients ask."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from projects.models import App
from tests.factories import path
from webhooks.models import Webhook

TARGET = "http://127.0.0.1:9/hook"
SECRET = "a-secret-of-enough-length"
CREDENTIALS = {
    "client_id": "me",
    "client_secret": "the-client-secret",
    "endpoint": "http://127.0.0.1:9/token",
}


def create(client: APIClient, app: App, **fields: Any) -> Any:
    body = {"app_id": app.id, "target": TARGET, "triggers": ["MESSAGE_INBOUND"]} | fields
    return client.post(path(app.project, "webhooks"), body, format="json")


def patch(client: APIClient, webhook: Webhook, body: dict[str, Any], query: str = "") -> Any:
    return client.patch(of(webhook) + query, body, format="json")


def of(webhook: Webhook) -> str:
    return path(webhook.app.project, f"webhooks/{webhook.id}")


def violations(answer: Any) -> dict[str, str]:
    """The refused fields; the answer is a 400 INVALID_ARGUMENT."""
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    return {v["field"]: v["description"] for detail in error["details"] for v in detail["fieldViolations"]}
