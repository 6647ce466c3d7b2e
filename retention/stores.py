"""Everywhere that something of a message may be stored: by which key it is found, and when it goes.

A test walks all models: one that names a message, conversation or contact, or holds a payload or a file, stands
here, or the build fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Store:
    """A table of what is written about messages."""

    key: str  # the column that names the message, conversation or event
    longest_days: int | None = None  # it goes by then, whatever the policy; None: with its message


# By model. Those that are derived from a message carry its accept time and go in the transaction that deletes it.
STORES: Final[dict[str, Store]] = {
    "conversations.Conversation": Store("id"),
    "conversations.Message": Store("id"),
    "conversations.ConversationEvent": Store("id"),
    "conversations.Candidate": Store("message_id"),
    "conversations.Receipt": Store("message_id"),
    "conversations.PendingEcho": Store("message_id"),
    "conversations.SentOnce": Store("message_id", longest_days=1),
    "conversations.CapabilityQuery": Store("contact_id", longest_days=1),
    "webhooks.Event": Store("message_id", longest_days=14),
    "webhooks.Attempt": Store("message_id", longest_days=30),
    "webhooks.DeadLetter": Store("message_id", longest_days=30),
}

# What holds ids or payloads and is no copy of a message: why it stays.
OTHERS: Final[dict[str, str]] = {
    "contacts.ChannelIdentity": "belongs to a contact, which retention never touches",
    "conversations.TemplateTranslation": "a template, which says the same to everybody",
    "projects.AccessKey": "the hash of a secret",
    "retention.ContactRemoval": "proves that a contact was deleted or merged away: its id, and who did it",
    "retention.LegalHold": "names what it covers by its id alone",
    "retention.PrivacyRequest": "proves what was done about a person's request; numbers and an id, no content",
    "retention.PurgeBatch": "proves what was deleted: ids and hashes",
    "retention.PurgeHead": "hashes, and the widths of windows",
}

# What may name a person, and is left by the erasure of a contact: why it may stay.
SPARED: Final[dict[str, str]] = {
    "axes.AccessAttempt": "who tried to log in to the portal: no contact does",
    "conversations.TemplateTranslation": "a template, which says the same to everybody",
    "outbox.Lane": "the kind of what waits",
    "pghistory.Context": "who changed the configuration, and where in the portal",
    "pghistory.MiddlewareEvents": "the same, as it is read",
    "projects.AccessKey": "the hash of a secret",
    "projects.Mail": "to members and account managers, about apps; it goes after 30 days",
    "projects.User": "a member, no contact",
    "projects.UserEvent": "a member, no contact",
    "retention.ChangeRequest": "the ground of a policy",
    "retention.ContactRemoval": "proves that a contact was deleted or merged away: its id, and who did it",
    "retention.Justification": "the ground of a policy",
    "retention.LedgerCheck": "which row of the purge ledger was altered",
    "retention.LegalHold": "names what it covers by its id; the matter is what must be kept",
    "retention.LegalHoldRelease": "why a hold ended",
    "retention.PrivacyRequest": "proves what was done about a person's request; numbers and an id, no name",
    "retention.PurgeBatch": "proves what was deleted: ids and hashes",
    "retention.PurgeHead": "hashes, and the widths of windows",
    "retention.PurgeOverride": "why the purge's clock was overridden",
    "sessions.Session": "who is logged in to the portal",
    "webhooks.Replay": "which page of events comes next",
}
