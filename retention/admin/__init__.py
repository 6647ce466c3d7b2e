"""Compliance's pages: policies, their grounds and debts, changes to approve; and the app page's part on retention."""

from retention.admin import holds, privacy, requests, rows, runs
from retention.admin.fields import RetentionFields
from retention.admin.pages import RetentionPages
from retention.admin.panel import said

__all__ = ["RetentionFields", "RetentionPages", "holds", "privacy", "requests", "rows", "runs", "said"]
