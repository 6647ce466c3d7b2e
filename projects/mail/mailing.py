"""Mailing: a mail is written with its cause, and the outbox sends it until the mail server takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from gateway import mail
from gateway.http import Client, Request, Response
from outbox import entries
from outbox.kinds import Claimed, Decision, Result, Send, Verdict
from projects import ids
from projects.models import Mail

MAIL: Final = "mail"  # the outbox's kind; its refs are mails
THE_SERVER: Final = UUID(
    "7d3f5c0e-2b1a-4f0e-8a57-0c6b7a9d1e42"
)  # made up once: one lane, for one mail server

TAKEN: Final = 250  # SMTP's word for it
REFUSED: Final = "smtp"
LOGGED: Final = "No mail server is set: it was written to the log."
NOBODY: Final = "Nobody is known who could be told."

FIRST_WAIT: Final = 60.0  # seconds; each later one is twice as long
LONGEST_WAIT: Final = 3600.0
GIVEN_UP_AFTER: Final = timedelta(days=3)


@transaction.atomic(savepoint=False)
def post(*, to: Sequence[str], subject: str, text: str, now: datetime, about: str = "") -> None:
    """Owe these people a mail, once the caller's transaction commits.

    `about` says in a word or two what it belongs to. What goes to nobody is kept for the inbox all the same.
    """
    recipients = list(dict.fromkeys(address for address in to if address))
    letter = Mail.objects.create(
        about=about,
        recipients=recipients,
        subject=" ".join(subject.split())[:255],  # a header holds no line breaks
        text=text,
        created_at=now,
        last_error="" if recipients else NOBODY,
    )
    if recipients:
        entries.put(MAIL, [(THE_SERVER, ids.to_uuid(letter.id))])


def forget(*, now: datetime) -> None:
    """Delete the mails that nobody will ask for any more."""
    Mail.objects.old(now=now).delete()


class Mailing:
    """Mails as a kind of the outbox."""

    name = MAIL

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        """The mails themselves: they are no requests, so they travel as the tags of empty ones."""
        letters = Mail.objects.in_bulk({ids.from_uuid(claimed.ref) for claimed in entries})
        return {
            claimed.id: Request("MAIL", "mailto:", tag=letters[letter_id])
            for claimed in entries
            if (letter_id := ids.from_uuid(claimed.ref)) in letters
        }

    def sender(self, client: Client) -> Send:  # no mail goes through the door for HTTP
        """One mail at a time, in a thread: the mail server is waited for there and not in the loop."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="mail")

        async def send(request: Request) -> Response:
            return await asyncio.get_running_loop().run_in_executor(thread, _send, request.tag)

        return send

    def carries(self, request: Request) -> bool:
        """All of them."""
        return True

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:  # a kind's shape
        """Taken, to be sent again, or given up."""
        if not response.error:
            return Verdict(Decision.DONE)
        after = min(FIRST_WAIT * 2.0 ** min(claimed.attempt - 1, 32), LONGEST_WAIT)
        if claimed.due_at + timedelta(seconds=after) > claimed.created_at + GIVEN_UP_AFTER:
            return Verdict(Decision.DEAD)
        return Verdict(Decision.RETRY, after=after)

    def record(self, results: Sequence[Result]) -> None:
        """Note on each mail when it was taken, or why it was not."""
        letters: list[Mail] = []
        for result in results:
            letter: Mail = result.request.tag
            letter.sent_at = result.started_at if result.response.status == TAKEN else None
            letter.last_error = result.response.detail[:500]
            letters.append(letter)
        Mail.objects.bulk_update(letters, ["sent_at", "last_error"])


def _send(letter: Mail) -> Response:
    """What the mail server says, as a response."""
    _, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    message_id = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    try:
        is_sent = mail.send(letter.subject, letter.text, letter.recipients, message_id=message_id)
    except OSError as error:
        return Response(0, error=REFUSED, detail=f"{type(error).__name__}: {error}")
    return Response(TAKEN) if is_sent else Response(0, detail=LOGGED)
