"""Policies, changes to approve, legal grounds given and owed, holds, privacy requests, the ledger, and purges ahead of the clock."""

from retention.models.approvals import ChangeRequest
from retention.models.grounds import Category, Justification, OwedItem, Via
from retention.models.holds import HoldScope, LegalHold, LegalHoldQuerySet, LegalHoldRelease
from retention.models.ledger import Purge, PurgeBatch, PurgeHead
from retention.models.overrides import PurgeOverride
from retention.models.privacy import PrivacyRequest, PrivacyRequestQuerySet
from retention.models.versions import RetentionPolicy, RetentionPolicyQuerySet

__all__ = [
    "Category",
    "ChangeRequest",
    "HoldScope",
    "Justification",
    "LegalHold",
    "LegalHoldQuerySet",
    "LegalHoldRelease",
    "OwedItem",
    "PrivacyRequest",
    "PrivacyRequestQuerySet",
    "Purge",
    "PurgeBatch",
    "PurgeHead",
    "PurgeOverride",
    "RetentionPolicy",
    "RetentionPolicyQuerySet",
    "Via",
]
