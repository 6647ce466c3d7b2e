"""What the pages of one webhook have in common: who may open them, and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from projects.admin.scoped import ProjectScoped
from webhooks.admin import health_panel
from webhooks.models import Webhook
from webhooks.tending import health
from webhooks.tending.health import State

View = Callable[..., HttpResponse]

READING: Final = ("GET", "HEAD")
# The addresses below a webhook's own that are listed on each of its pages, and their names there.
TABS: Final = {
    "change": "Settings",
    "log": "Delivery log",
    "replay": "Replay",
    "test": "Test event",
    "verify": "Verify a signature",
    "secret": "Secret",
}


def opened(page: ProjectScoped, view: View) -> View:
    """The view, with the webhook in place of its id: read by members, posted to by who may change it."""

    def opening(request: HttpRequest, object_id: str, **places: str) -> HttpResponse:
        webhook = page.get_object(request, unquote(object_id))
        if webhook is None:
            return page.missing(request, object_id)
        may_change = page.has_change_permission(request, webhook)
        if not page.has_view_permission(request, webhook) or not (may_change or request.method in READING):
            raise PermissionDenied
        return view(request, webhook, **places)

    return page.admin_site.admin_view(opening)


def show(request: HttpRequest, webhook: Webhook, name: str, **context: Any) -> HttpResponse:
    """The page of this name, which is its template's and, where it is a tab, its address's."""
    page = _page_of_webhooks()
    context = page.admin_site.each_context(request) | around(webhook) | {
        "title": f"{TABS.get(name, name.capitalize())}: {webhook}",
        "heading": TABS.get(name, name.capitalize()),
        "tab": name,
        "opts": page.opts,
        "may_change": page.has_change_permission(request, webhook),
        **context,
    }  # fmt: skip
    return TemplateResponse(request, f"admin/webhooks/{name}.html", context)


def around(webhook: Webhook) -> dict[str, Any]:
    """What every page of a webhook says: where the others are, and where the API has it."""
    state = health.states([webhook])[webhook.id]
    word, tone = health_panel.standing(webhook, state)
    return {
        "standing": {"word": word, "tone": tone},
        "rests": state == State.PAUSED,
        "webhook": webhook,
        "original": webhook,
        "tabs": [(name, address(webhook, name), word) for name, word in TABS.items()],
        "api": f"{settings.PUBLIC_URL}/v1/projects/{webhook.project_id}/webhooks/{webhook.pk}",
    }


def address(webhook: Webhook, name: str, *places: str) -> str:
    """Where a page of the webhook is."""
    return reverse(f"admin:webhooks_webhook_{name}", args=[webhook.pk, *places])


def refused(request: HttpRequest, refusal: ValidationError, *, to: str) -> HttpResponse:
    """Back, with what the verb said."""
    messages.error(request, " ".join(refusal.messages))
    return HttpResponseRedirect(to)


def _page_of_webhooks() -> ProjectScoped:
    return cast("ProjectScoped", admin.site.get_model_admin(Webhook))
