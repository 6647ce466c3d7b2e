"""Outgoing mail."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import send_mail

logger = logging.getLogger(__name__)


def send(subject: str, body: str, to: Sequence[str]) -> None:
    """Mail this text, or write it to the log where no mail server is set.

    Raises what the mail server's refusal raises (OSError and its kind): the sender tries again later.
    """
    if not settings.EMAIL_URL:
        logger.info("Mail to %s: %s\n%s", ", ".join(to), subject, body)
        return
    send_mail(subject, body, from_email=None, recipient_list=list(to))
