"""What the API may read and delete, as policies and holds have it: installed below when the app registry is ready."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now

from contacts.models import Contact
from conversations.deleting import Asked
from conversations.merging import Leaving
from conversations.visibility import Limit, Within
from outbox.questions import Question, Term
from projects import clock
from projects.models import App, ProcessingMode, Project
from retention import holding
from retention.deciding import ruling
from retention.deciding.ruling import Policy
from retention.measuring import LATEST
from retention.models import ContactRemoval, Purge, RetentionPolicy
from retention.policies import PolicyType, Scope
from retention.privacy import requests
from retention.proving import ledger
from retention.proving.ledger import Deletion

_MODES: Final = {
    Scope.MESSAGES: ProcessingMode.CONVERSATION,
    Scope.DISPATCH: ProcessingMode.DISPATCH,
}


class ByPolicy:
    """What is due is served a day longer, which the purge may take, and then no more, whatever still keeps it.

    A dispatched message under a TTL of 0 days is kept for its receipt alone: the API does not know it.
    """

    def limits(self, within: Within) -> list[Limit]:
        """By the policies in force now: one that waits its 24 hours changes nothing yet."""
        if not settings.RETENTION_READ_FILTER:
            return []
        apps: defaultdict[Policy, list[str]] = defaultdict(list)
        for app_id, policy in _in_force(within):
            apps[policy].append(app_id)
        if within.kind is not Project:
            ruled = {policy.scope: policy for policy in apps}
            return [_limit(ruled.get(scope) or ruling.default(scope)) for scope in Scope]
        others = [_limit(ruling.default(scope)) for scope in Scope]
        return [*others, *(_limit(policy, *alike) for policy, alike in apps.items() if not policy.is_default)]

    def storing(self, apps: Iterable[App], mode: ProcessingMode) -> list[App]:
        """Those whose policy in force keeps messages of this mode at all."""
        apps = list(apps)
        if mode != ProcessingMode.DISPATCH or not apps:
            return apps
        policies = ruling.in_force_of(apps, at=clock.now())
        return [app for app in apps if policies[app.pk, Scope.DISPATCH].ttl_days]

    def hold(self, rows: QuerySet[Any]) -> bool:
        """Whether a legal hold keeps something of these messages, events, conversations or contacts.

        Raises StillOpen, where somebody asks for a contact's erasure, or a copy, and is not answered yet.
        """
        if rows.model is Contact:
            requests.refuse_if_open(rows)
        return holding.holds(rows)

    def put_on_record(self, app: App, asked: Asked, *, now: datetime) -> None:
        """A row of the ledger, as for all that is deleted."""
        deletion = Deletion(
            messages=asked.messages, conversations=asked.conversations, events=asked.events, cutoff=now
        )
        ledger.prove(app=app, kind=Purge.Kind.REQUEST, reference=asked.by_key, deletion=deletion, now=now)

    def put_contact_on_record(self, leaving: Leaving, *, now: datetime) -> None:
        """A row of its own: a contact belongs to no app, and so to no chain of the ledger."""
        ContactRemoval.objects.create(
            contact_id=leaving.contact.pk,
            project_id=leaving.contact.project_id,
            merged_into_id=leaving.into and leaving.into.pk,
            identities=leaving.identities,
            removed_by=leaving.by,
            removed_by_key=leaving.by_key,
            removed_at=now,
        )


def _limit(policy: Policy, *apps: str) -> Limit:
    is_kept = policy.retention_type == PolicyType.PERSIST_RETENTION_POLICY
    return Limit(
        mode=_MODES[policy.scope],
        age=None if is_kept else timedelta(days=policy.ttl_days) + LATEST,
        of_conversations=policy.retention_type == PolicyType.CONVERSATION_EXPIRE_POLICY,
        apps=apps,
    )


def _in_force(within: Within) -> list[tuple[str, Policy]]:
    """The policies of these apps that are stored, without their versions: those that say the same are equal."""
    return [
        (app_id, Policy(scope=Scope(scope), retention_type=PolicyType(type_), ttl_days=ttl_days))
        for app_id, scope, type_, ttl_days in _question(within.kind).ask({"key": within.key})
    ]


@cache
def _question(kind: type[Model]) -> Question:
    """Composed once: it is asked with every reading."""
    place = Term("key", kind._meta.pk)
    lookups = {Project: Q(app__project=place), App: Q(app=place)}
    of = lookups.get(kind) or Q(app__in=kind._default_manager.filter(pk=place).values("app"))
    versions = RetentionPolicy.objects.effective(Now()).filter(of).order_by("app_id", "scope", "-number")
    columns = versions.values_list("app_id", "scope", "retention_type", "ttl_days")
    return Question(columns.distinct("app_id", "scope"))
