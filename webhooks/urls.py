"""The post office's addresses, below one project."""

from django.urls import path

from webhooks import api

urlpatterns = [
    path("webhooks", api.WebhooksView.as_view()),
    path("webhooks/<webhook_id>", api.WebhookView.as_view()),
    path("apps/<app_id>/webhooks", api.AppWebhooksView.as_view()),
]
