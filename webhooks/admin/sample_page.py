"""The page that shows what a trigger's callback looks like, before there is a webhook that gets it."""

from __future__ import annotations

from uuid import UUID

import orjson
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from projects import clock
from webhooks.models import Webhook
from webhooks.triggers import MEANINGS, Trigger
from webhooks.trying import samples


def sample(request: HttpRequest, trigger: str) -> HttpResponse:
    """One trigger's, with the ways to the others'. There is none of those that are never fired."""
    if trigger not in samples.TRIGGERS:
        raise Http404
    shown = Trigger(trigger)
    nobody = Webhook(app_id=samples.APP_ID, project_id=UUID(int=0))
    context = admin.site.each_context(request) | {
        "title": f"Sample of {shown}",
        "opts": Webhook._meta,
        "trigger": shown,
        "meaning": MEANINGS[shown],
        "triggers": samples.TRIGGERS,
        "sample": orjson.loads(samples.body(nobody, shown, now=clock.now())),
    }
    return TemplateResponse(request, "admin/webhooks/sample.html", context)
