from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from outbox.draining import drain
from outbox.models import Entry
from projects import clock
from projects.mail import mailing
from projects.models import Mail
from projects.tasks import forget_mails
from tests.projects.mailserver import MailServer, serving_mail

pytestmark = pytest.mark.django_db

HOUR, DAYS = timedelta(hours=1), timedelta(days=4)


@pytest.fixture
def server(settings) -> Iterator[MailServer]:
    with serving_mail() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def post(**said: Any) -> None:
    """A mail of which only this much matters."""
    rest: dict[str, Any] = {
        "to": ["ann@example.com"],
        "subject": "News",
        "text": "Please look.",
        "now": clock.now(),
    }
    mailing.post(**(rest | said))


def test_a_mail_reaches_everybody_it_is_for_once(server):
    post(to=["ann@example.com", "bob@example.com", "ann@example.com", ""], about="webhook disabled")

    drain()

    (taken,) = server.taken
    kept = Mail.objects.get()
    assert (taken["Subject"], taken.get_payload().strip()) == ("News", "Please look.")
    assert server.recipients == ["ann@example.com", "bob@example.com"]
    assert taken["Message-ID"] == f"<{kept.id}@localhost>"
    assert kept.sent_at is not None
    assert (kept.about, kept.last_error) == ("webhook disabled", "")
    assert not Mail.objects.unsent()
    assert not Entry.objects.exists()


def test_a_mail_goes_only_with_its_cause(server):
    with pytest.raises(RuntimeError), transaction.atomic():
        post()
        raise RuntimeError("the cause did not happen")

    drain()

    assert not server.taken
    assert not Mail.objects.exists()


def test_a_mail_that_the_server_does_not_take_is_sent_again_as_the_same_mail(server):
    server.refusals = [b"451 later", b"421 not now"]
    post()

    drain()
    refused = Mail.objects.get()
    assert "451" in refused.last_error
    assert list(Mail.objects.unsent()) == [refused]

    drain(horizon=HOUR)
    refused.refresh_from_db()
    assert len(server.taken) == 1
    assert (refused.last_error, refused.sent_at is None) == ("", False)


def test_a_mail_that_no_server_takes_is_given_up_and_stays_to_be_read(server, settings):
    server.shutdown()
    server.server_close()
    post()

    drain(horizon=DAYS)

    assert Mail.objects.unsent().get().last_error.startswith("ConnectionRefusedError")
    assert not Entry.objects.exists()


def test_without_a_mail_server_mails_are_in_the_log_and_unsent(settings, caplog):
    settings.EMAIL_URL = ""
    post(subject="A webhook was switched off")

    with caplog.at_level("INFO", logger="gateway.mail"):
        drain()

    assert "A webhook was switched off" in caplog.text
    assert Mail.objects.unsent().get().last_error == mailing.LOGGED
    assert not Entry.objects.exists()


def test_what_nobody_can_be_told_is_kept_all_the_same():
    post(to=["", ""])

    assert Mail.objects.unsent().get().last_error == mailing.NOBODY
    assert not Entry.objects.exists()


def test_a_name_with_a_line_break_makes_no_header(server):
    post(subject="Webhook of Shop\r\nBcc: eve@example.com")

    drain()

    (taken,) = server.taken
    assert taken["Subject"].replace("\n", "") == "Webhook of Shop Bcc: eve@example.com"
    assert server.recipients == ["ann@example.com"]


def test_mails_are_kept_30_days():
    now = clock.now()
    post(now=now - timedelta(days=30, seconds=5))
    post(now=now - timedelta(days=29))

    forget_mails()

    assert Mail.objects.get() == Mail.objects.recent(now=now).get()


def test_the_newest_mail_is_read_first(now):
    for age in (2, 1, 3):
        post(subject=f"{age} days ago", now=now - timedelta(days=age))

    assert [mail.subject[0] for mail in Mail.objects.recent(now=now)] == ["1", "2", "3"]
