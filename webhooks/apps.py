"""The post office's entry in the app registry."""

from django.apps import AppConfig

from outbox import kinds


class WebhooksConfig(AppConfig):
    """Webhooks and the delivery of events to them."""

    name = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        """Tell the outbox how our entries are loaded, read and recorded."""
        # Models exist only now.
        from webhooks import publishing  # noqa: PLC0415
        from webhooks.delivering import pacing, receivers  # noqa: PLC0415
        from webhooks.delivering.delivery import EventDelivery  # noqa: PLC0415
        from webhooks.repeating.redelivery import Redelivery  # noqa: PLC0415

        kinds.register(EventDelivery(publishing.WEBHOOK, receivers=receivers.webhooks, paces=pacing.webhooks))
        kinds.register(
            EventDelivery(
                publishing.CALLBACK_URL, receivers=receivers.callback_urls, paces=pacing.callback_urls
            )
        )
        kinds.register(Redelivery())
