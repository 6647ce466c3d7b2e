"""What the inbox asks about the running of the house: channels, webhooks, contacts, mails."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.conf import settings
from django.urls import reverse

from contacts import unifying
from contacts.models import ChannelIdentity
from portal.inbox.items import Item, Visitor
from projects.models import ChannelCredential, CredentialStatus, Mail, Project
from projects.roles import Right
from webhooks.models import Webhook


def credentials(visitor: Visitor) -> Iterator[Item]:
    """Channels that do not take our credential."""
    rows = ChannelCredential.objects.filter(status=CredentialStatus.FAILING, app__deleted_at=None)
    for credential in visitor.seen(rows.order_by("pk"), project="app__project"):
        yield Item(
            word="Credential failing",
            tone="bad",
            subject=f"{credential.channel} of {credential.app}",
            project=credential.app.project,
            why=credential.status_description or "The channel refuses it: nothing is sent there.",
            url=reverse("admin:projects_channelcredential_change", args=[credential.pk]),
            action=visitor.way("Replace its secrets", credential.app.project_id, right=Right.OPERATION),
        )


def webhooks(visitor: Visitor) -> Iterator[Item]:
    """Webhooks that were switched off."""
    rows = Webhook.objects.filter(disabled_at__isnull=False, app__deleted_at=None)
    for webhook in visitor.seen(rows.order_by("disabled_at"), project="app__project"):
        yield Item(
            word="Webhook disabled",
            tone="bad",
            subject=str(webhook.app),
            project=webhook.app.project,
            why=f"{webhook.target} gets no events. {webhook.disabled_reason}",
            since=webhook.disabled_at,
            url=reverse("admin:webhooks_webhook_change", args=[webhook.pk]),
            action=visitor.way("Open it", webhook.app.project_id, right=Right.OPERATION),
        )


def conflicts(visitor: Visitor) -> Iterator[Item]:
    """Numbers that several contacts of a project share."""
    for project in visitor.projects():
        for found in visitor.watch.ask(partial(_first_conflict, project)) or []:
            yield Item(
                word="Identity conflict",
                tone="quiet",
                subject=f"{found.channel} {found.identity}",
                project=project,
                why="Several contacts share this number, and perhaps others do: merge those that are one person.",
                url=f"{reverse('admin:contacts_contact_changelist')}?q={found.identity}",
                action=visitor.way("Compare them", project.pk, right=Right.OPERATION),
            )


def mails(visitor: Visitor) -> Iterator[Item]:
    """For who runs the installation: mails that went to nobody."""
    if not visitor.reach.is_unlimited:
        return
    unsent = Mail.objects.recent(now=visitor.now).filter(sent_at=None).exclude(last_error="")
    number = unsent.count()
    if number:
        yield Item(
            word="Mails not sent",
            tone="busy",
            subject=f"{number} in the last 30 days",
            project=None,
            why="The mail server does not take them." if settings.EMAIL_URL else
                "No mail server is set (EMAIL_URL): they were written to the log, and are kept below.",
            url="#mails",
            action="Read them",
        )  # fmt: skip


def _first_conflict(project: Project) -> list[ChannelIdentity]:
    return list(unifying.conflicts(project.pk).order_by("identity", "pk")[:1])
