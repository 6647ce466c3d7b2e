"""Retention's entry in the app registry."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """Policies, their justifications, and the purge."""

    name = "retention"
    verbose_name = "Retention"
