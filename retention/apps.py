"""Retention's entry in the app registry."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """Policies, their justifications, and the purge."""

    name = "retention"
    verbose_name = "Retention"

    def ready(self) -> None:
        """Tell the room below what of its messages may be read."""
        # Models exist only now.
        from conversations import visibility  # noqa: PLC0415
        from retention.visibility import ByPolicy  # noqa: PLC0415

        visibility.install(ByPolicy())
