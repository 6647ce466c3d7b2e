"""The form that sends a copy of an event to a URL that somebody types, on the page of its delivery."""

from __future__ import annotations

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest

from gateway.addresses import LONGEST_URL
from projects import clock
from projects.roles import Right, reach
from webhooks.models import Event, Webhook
from webhooks.trying import copying


class CopyForm(forms.Form):
    """Where to."""

    url = forms.CharField(
        label="URL", max_length=LONGEST_URL, widget=forms.URLInput(attrs={"class": "vURLField"})
    )


def may_copy(request: HttpRequest, webhook: Webhook) -> bool:
    """What was said leaves for a place that nobody has set up: that takes an administrator of the project."""
    return reach(request).may(Right.PEOPLE, webhook.project_id)


def is_copied(request: HttpRequest, webhook: Webhook, event: Event, form: CopyForm) -> bool:
    """Whether it went; what is refused is said at the field."""
    if not may_copy(request, webhook):
        raise PermissionDenied
    if form.is_valid():
        try:
            copying.send(webhook, event, form.cleaned_data["url"], now=clock.now())
        except ValidationError as refusal:
            form.add_error("url", refusal.messages)
    return form.is_valid()
