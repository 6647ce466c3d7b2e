"""Outgoing mail."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage

logger = logging.getLogger(__name__)


def send(subject: str, body: str, to: Sequence[str], *, message_id: str = "") -> bool:
    """Mail this text. False: it was written to the log, because no mail server is set.

    A `message_id`, such as "<7@example.com>", lets mail programs show a mail once that was sent twice. Raises
    what the mail server's refusal raises (OSError and its kind): the sender tries again later.
    """
    if not settings.EMAIL_URL:
        logger.info("Mail to %s: %s\n%s", ", ".join(to), subject, body)
        return False
    headers = {"Message-ID": message_id} if message_id else {}
    EmailMessage(subject, body, to=list(to), headers=headers).send()
    return True
