"""The post office's addresses, below one project."""

from django.urls import path

from webhooks.api import deliveries as delivery_api
from webhooks.api import webhooks as api

urlpatterns = [
    path("webhooks", api.WebhooksView.as_view()),
    # Ours, beside the contract; before the addresses of which they are an extension.
    path("webhooks/<webhook_id>/deliveries:replay", delivery_api.ReplayDeliveries.as_view()),
    path("webhooks/<webhook_id>/deliveries", delivery_api.Deliveries.as_view()),
    path("webhooks/<webhook_id>/deliveries/<event_id>:replay", delivery_api.ReplayDelivery.as_view()),
    path("webhooks/<webhook_id>/deliveries/<event_id>", delivery_api.OneDelivery.as_view()),
    path("webhooks/<webhook_id>/replays", delivery_api.Replays.as_view()),
    path("webhooks/<webhook_id>/replays/<replay_id>:cancel", delivery_api.CancelReplay.as_view()),
    path("webhooks/<webhook_id>/replays/<replay_id>", delivery_api.OneReplay.as_view()),
    path("webhooks/<webhook_id>:enable", delivery_api.EnableWebhook.as_view()),
    path("webhooks/<webhook_id>:test", delivery_api.SendTestEvent.as_view()),
    path("webhooks/<webhook_id>", api.WebhookView.as_view()),
    path("apps/<app_id>/webhooks", api.AppWebhooksView.as_view()),
]
