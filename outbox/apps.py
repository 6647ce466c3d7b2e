"""The outbox's entry in the app registry."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Lanes and entries: what has to leave the house, and the engine that sends it."""

    name = "outbox"
    verbose_name = "Outbox"
