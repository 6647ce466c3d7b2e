"""The post office's entry in the app registry."""

from django.apps import AppConfig

from outbox import kinds


class WebhooksConfig(AppConfig):
    """Webhooks and the delivery of events to them."""

    name = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        """Tell the outbox how our entries are loaded, read and recorded."""
        from webhooks.delivery import WebhookDelivery  # noqa: PLC0415  # models exist only now

        kinds.register(WebhookDelivery())
