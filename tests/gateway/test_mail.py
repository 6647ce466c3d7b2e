from __future__ import annotations

import logging

from django.core import mail as django_mail

from gateway import mail


def test_without_a_mail_server_a_mail_is_written_to_the_log(settings, caplog):
    settings.EMAIL_URL = ""

    with caplog.at_level(logging.INFO, logger="gateway.mail"):
        mail.send("A justification is owed", "Please look at it.", ["manager@example.com"])

    assert "manager@example.com" in caplog.text
    assert "A justification is owed" in caplog.text
    assert "Please look at it." in caplog.text
    assert not django_mail.outbox


def test_with_a_mail_server_a_mail_is_sent(settings):
    settings.EMAIL_URL = "smtp://mail.example.com"

    mail.send("A justification is owed", "Please look at it.", ["manager@example.com"])

    [sent] = django_mail.outbox
    assert (sent.subject, sent.body, sent.to) == (
        "A justification is owed",
        "Please look at it.",
        ["manager@example.com"],
    )
