"""What retention remembers: policies and their grounds, holds, requests and removals, the ledger, the purge's health."""

from retention.models.approvals import ChangeRequest
from retention.models.grounds import Category, Justification, OwedItem, Via
from retention.models.holds import HoldScope, LegalHold, LegalHoldQuerySet, LegalHoldRelease
from retention.models.ledger import Purge, PurgeBatch, PurgeHead
from retention.models.overrides import PurgeOverride
from retention.models.privacy import PrivacyRequest, PrivacyRequestQuerySet
from retention.models.removals import ContactRemoval
from retention.models.tending import LedgerCheck, PurgeTally, Survey
from retention.models.versions import RetentionPolicy, RetentionPolicyQuerySet

__all__ = [
    "Category",
    "ChangeRequest",
    "ContactRemoval",
    "HoldScope",
    "Justification",
    "LedgerCheck",
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
    "PurgeTally",
    "RetentionPolicy",
    "RetentionPolicyQuerySet",
    "Survey",
    "Via",
]
