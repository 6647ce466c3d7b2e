"""A conversation as both sides saw it: bubbles, receipts, the route of each message, and when it will be gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q

from conversations import visibility
from conversations.admin.wording import STATUS_TONES, VERDICT_WORDS, gist, reason_words, status_word
from conversations.models import Candidate, Conversation, Direction, Message, Receipt, Status
from conversations.visibility import Within
from projects import ids
from projects.models import ProcessingMode
from retention import holding
from retention.deciding.ruling import Policy
from retention.policies import PolicyType

PAGE: Final = 50  # messages


@dataclass(frozen=True, slots=True)
class Step:
    """One channel on the route."""

    candidate: Candidate
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """A message as the page draws it."""

    message: Message
    text: str
    is_from_contact: bool
    opens_day: bool
    status: str
    tone: str
    reason: str
    route: Sequence[Step]
    receipts: Sequence[Receipt]
    expires_at: datetime | None
    is_held: bool
    is_served: bool  # by the API


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A page of a conversation, oldest first. `older` is where the page before it ends, if there is one."""

    bubbles: Sequence[Bubble]
    older: str
    is_newest: bool


def transcript(conversation: Conversation, policy: Policy, *, until: str = "") -> Transcript:
    """The messages up to and with `until`, a message's id; by default up to the newest."""
    messages = Message.objects.filter(conversation=conversation)
    last = messages.filter(pk=until).first() if ids.is_ulid(until) else None
    if last:
        earlier = Q(accept_time__lt=last.accept_time) | Q(accept_time=last.accept_time, pk__lte=last.pk)
        messages = messages.filter(earlier, accept_time__lte=last.accept_time)
    found = list(messages.order_by("-accept_time", "-id")[: PAGE + 1])
    shown = list(reversed(found[:PAGE]))
    return Transcript(
        bubbles=_bubbles(shown, conversation, policy),
        older=found[PAGE].pk if len(found) > PAGE else "",
        is_newest=last is None,
    )


def _bubbles(messages: Sequence[Message], conversation: Conversation, policy: Policy) -> list[Bubble]:
    message_ids = [message.pk for message in messages]
    routes: dict[str | None, list[Step]] = defaultdict(list)
    for one in Candidate.objects.filter(message_id__in=message_ids).order_by("message_id", "position"):
        step = Step(one, VERDICT_WORDS[Candidate.Verdict(one.verdict)], reason_words(one.reason))
        routes[one.message_id].append(step)
    receipts: dict[str | None, list[Receipt]] = defaultdict(list)
    for receipt in Receipt.objects.filter(message_id__in=message_ids).order_by("id"):
        receipts[receipt.message_id].append(receipt)
    days = [message.accept_time.date() for message in messages]
    held, served = _held(conversation, message_ids), _served(conversation, message_ids)
    return [
        Bubble(
            message=message,
            text=gist(message.content),
            is_from_contact=message.direction == Direction.TO_APP,
            opens_day=index == 0 or days[index] != days[index - 1],
            status=status_word(message.status) if message.status else "",
            tone=STATUS_TONES[Status(message.status)] if message.status else "quiet",
            reason=reason_words(message.reason),
            route=routes[message.pk],
            receipts=receipts[message.pk],
            expires_at=_expiry(message, conversation, policy),
            is_held=message.pk in held,
            is_served=message.pk in served,
        )
        for index, message in enumerate(messages)
    ]


def _expiry(message: Message, conversation: Conversation, policy: Policy) -> datetime | None:
    """When the message is due under the policy in force; None: it stays until it is deleted."""
    ages: dict[PolicyType, Any] = {
        PolicyType.MESSAGE_EXPIRE_POLICY: message.accept_time,
        PolicyType.CONVERSATION_EXPIRE_POLICY: conversation.expiry_anchor,
    }
    since: datetime | None = ages.get(policy.retention_type)
    return since + timedelta(days=policy.ttl_days) if since else None


def _held(conversation: Conversation, message_ids: Sequence[str]) -> set[str]:
    """Those of the messages that a legal hold keeps."""
    holds = holding.over([conversation.app])[conversation.app_id]
    return set(holds.keep(Message.objects.filter(pk__in=message_ids)).values_list("pk", flat=True))


def _served(conversation: Conversation, message_ids: Sequence[str]) -> set[str]:
    """Those that the API serves: here they are shown for as long as they are stored."""
    within = Within(Conversation, conversation.pk)
    served = visibility.messages(conversation.project_id, ProcessingMode.CONVERSATION, within=within)
    return set(served.filter(pk__in=message_ids).values_list("pk", flat=True))
