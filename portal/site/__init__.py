"""The portal's site: Django's admin under our own name, navigation and login."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from gateway.channels.base import Channel
from portal.dashboard import dashboard
from portal.inbox import inbox_view
from portal.site import security
from portal.site.navigation import grouped

ROOMS: Final = frozenset({"retention", "conversations", "contacts", "webhooks", "projects"})


class PortalSite(AdminSite):
    """Every page of the portal hangs here."""

    site_header = site_title = "Conversation API"
    index_title = "Overview"
    site_url = None
    login_form = security.LoginForm
    index_template = "admin/dashboard.html"
    final_catch_all_view = True
    empty_value_display = "–"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take pages of our rooms. What packages bring along (devices, lock-outs) has a page of ours, or none."""
        models = model_or_iterable if isinstance(model_or_iterable, (list, tuple)) else [model_or_iterable]
        ours = [model for model in models if model._meta.app_label in ROOMS]
        super().register(ours, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Django's, and the pages that belong to no table."""
        return [
            path("inbox/", self.admin_view(inbox_view), name="inbox"),
            path("security/", self.admin_view(security.security_view), name="security"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page says, whatever it shows."""
        return super().each_context(request) | {"sandboxed": sandboxed_channels()}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The navigation, in our groups; of one room, as Django has it."""
        rooms = super().get_app_list(request, app_label)
        return rooms if app_label else grouped(rooms)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The overview."""
        return super().index(request, (extra_context or {}) | {"dashboard": dashboard(request)})


def sandboxed_channels() -> list[str]:
    """The channels that the sandbox serves in their provider's place."""
    if "*" in settings.CHANNELS_SANDBOXED:
        return ["every channel"]
    return [channel for channel in Channel if channel in settings.CHANNELS_SANDBOXED]
