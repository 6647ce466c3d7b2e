"""Providers on loopback: what they keep and answer, and what they call back."""

import json
from dataclasses import dataclass, field
from typing import Any

from werkzeug import Request, Response

from projects.models import ChannelCredential

PHONE, CHAT = "46700000001", "7001"


@dataclass
class Provider:
    """Keeps what it is asked, and gives these answers in turn, then its usual one."""

    usual: Any
    answers: list[Response] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def take(self, request: Request) -> Response:
        self.asked.append((request.path, json.loads(request.get_data())))
        self.tokens.append(request.headers.get("Authorization", ""))
        if self.answers:
            return self.answers.pop(0)
        return answering(200, self.usual(len(self.asked)))


def answering(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def refusing(status: int, words: str, **parameters: Any) -> Response:
    """As Telegram does."""
    body = {"ok": False, "error_code": status, "description": words, "parameters": parameters}
    return answering(status, body)


def call_back(client, credential: ChannelCredential, body: dict[str, Any], **headers: str) -> int:
    url = f"/callbacks/{credential.channel}/{credential.id}"
    answer = client.post(url, json.dumps(body), content_type="application/json", headers=headers)
    return int(answer.status_code)


def report(message_id: str, status: str, code: int, *, batch: str = "batch-1") -> dict[str, Any]:
    return {
        "type": "recipient_delivery_report_sms",
        "batch_id": batch,
        "client_reference": message_id,
        "recipient": PHONE,
        "status": status,
        "code": code,
        "at": "2026-03-02T12:00:04Z",
    }


def update(**of: Any) -> dict[str, Any]:
    return {"update_id": 1} | of


def from_person(**message: Any) -> dict[str, Any]:
    chat = {"id": int(CHAT), "type": "private", "first_name": "Ann"}
    return {
        "message_id": 5,
        "date": 1772452800,
        "chat": chat,
        "from": {"id": int(CHAT), "first_name": "Ann"},
    } | message
