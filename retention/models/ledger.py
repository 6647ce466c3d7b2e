"""The purge ledger: what was deleted when and under which policy, a chain of hashes for each app."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.formats import localize

from projects.fields import PublicIdField, ULIDField
from projects.models import App
from retention.models.overrides import PurgeOverride
from retention.models.versions import RetentionPolicy
from retention.permanence import APPEND_ONLY, ROWS_STAY, TABLE_STAYS, columns_stay
from retention.policies import Scope, type_choices


class Purge(models.Model):
    """One run over what one policy of one app rules, or another deletion that has to be proved."""

    class Kind(models.TextChoices):
        """Why something was deleted."""

        RETENTION = "RETENTION", "Older than the policy keeps it"
        REMOVAL = "REMOVAL", "Its app was deleted"
        ERASURE = "ERASURE", "A person asked to be forgotten"
        REQUEST = "REQUEST", "Asked for by a client"

    class State(models.TextChoices):
        """How far it came."""

        RUNNING = "RUNNING"
        FINISHED = "FINISHED"
        SUPERSEDED = "SUPERSEDED"  # the policy was changed meanwhile; another run went on
        INTERRUPTED = "INTERRUPTED"  # its process died; another run went on

    id = PublicIdField()
    app = models.ForeignKey(App, models.PROTECT, related_name="purges")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.RETENTION)
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.MESSAGES)
    # The terms that were applied; no version is stored of an app's default, and other kinds know no policy.
    policy = models.ForeignKey(RetentionPolicy, models.PROTECT, null=True, related_name="purges")
    retention_type = models.CharField(max_length=32, choices=type_choices, blank=True)
    ttl_days = models.PositiveIntegerField(null=True)
    reference = models.CharField(
        max_length=255, blank=True
    )  # the request that an erasure answers; the key of who asked
    moment = models.DateTimeField()  # what was taken for the time
    override = models.ForeignKey(PurgeOverride, models.PROTECT, null=True, related_name="purges")
    state = models.CharField(max_length=12, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "purge run"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="RUNNING", ended_at=None)
                | (~Q(state="RUNNING") & Q(ended_at__isnull=False)),
                name="purge_ends_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(kind="RETENTION", ttl_days__isnull=False)
                | (~Q(kind="RETENTION") & Q(policy=None, retention_type="", ttl_days=None)),
                name="purge_has_terms_if_by_retention",
            ),
        ]
        indexes = [
            models.Index(fields=["app", "-id"], name="purge_of_app"),  # the portal's list
            models.Index(  # ledger: what did a dead process leave?
                fields=["app"], name="purge_under_way", condition=Q(state="RUNNING")
            ),
        ]
        triggers = [
            ROWS_STAY,
            TABLE_STAYS,
            columns_stay(
                "id",
                "app",
                "kind",
                "scope",
                "policy",
                "retention_type",
                "ttl_days",
                "reference",
                "moment",
                "override",
                "started_at",
            ),
            pgtrigger.Protect(
                name="ended_stays_ended",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="RUNNING"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.app}, {localize(self.started_at)}: {self.get_kind_display().lower()}"


class PurgeBatch(models.Model):
    """What one transaction deleted: a link of the app's chain. Never changed."""

    id = models.BigAutoField(primary_key=True)
    app = models.ForeignKey(App, models.PROTECT, related_name="purge_batches", db_index=False)
    number = models.PositiveBigIntegerField()  # 1, 2, 3 … in an app
    purge = models.ForeignKey(Purge, models.PROTECT, related_name="batches")
    cutoff = models.DateTimeField()  # all were older
    since = models.DateTimeField(null=True)  # the window of ages that it took …
    until = models.DateTimeField(null=True)  # … this moment excluded
    messages = models.PositiveIntegerField(default=0)
    conversations = models.PositiveIntegerField(default=0)
    events = models.PositiveIntegerField(default=0)
    satellites = models.JSONField(default=dict)  # by table, what was written about them
    held = models.PositiveIntegerField(default=0)  # due in this window, and kept by a legal hold
    ids = models.BinaryField()  # of messages, conversations and events: 16 bytes each, sorted
    first_id = ULIDField()
    last_id = ULIDField()
    digest = models.BinaryField()  # SHA-256 over `ids`
    written_at = models.DateTimeField()
    previous_hash = models.BinaryField()
    own_hash = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["app", "number"], name="purge_batch_has_one_place"),
        ]
        indexes = [
            models.Index(fields=["app", "last_id"], name="purge_batch_by_id"),  # lookup
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.app_id} #{self.number}"


class PurgeHead(models.Model):
    """The end of an app's chain. Whoever adds to it holds this row; so one purger at a time is at an app."""

    app = models.OneToOneField(App, models.PROTECT, primary_key=True, related_name="purge_head")
    number = models.PositiveBigIntegerField(default=0)
    last_hash = models.BinaryField(default=bytes(32))
    moment = models.DateTimeField(null=True)  # of the last cutoff
    widths: Any = models.JSONField(default=dict)  # seconds of the next window, by what it takes

    class Meta:
        triggers = [ROWS_STAY, TABLE_STAYS]

    def __str__(self) -> str:
        return f"{self.app_id}: {self.number} rows"
