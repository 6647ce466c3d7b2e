"""Policies, the legal grounds of each deviation, the grounds still owed, and purges ahead of the clock."""

from retention.models.grounds import Category, Justification, OwedItem, Via
from retention.models.overrides import PurgeOverride
from retention.models.versions import RetentionPolicy, RetentionPolicyQuerySet

__all__ = [
    "Category",
    "Justification",
    "OwedItem",
    "PurgeOverride",
    "RetentionPolicy",
    "RetentionPolicyQuerySet",
    "Via",
]
