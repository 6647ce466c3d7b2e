"""The post office's pages: webhooks, what may be done with them, and the log of what was sent to them."""

from webhooks.admin import history, webhooks
from webhooks.admin.forms import WebhookInline

__all__ = ["WebhookInline", "history", "webhooks"]
