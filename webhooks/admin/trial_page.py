"""The page that sends a test event and shows what came back."""

from __future__ import annotations

import orjson
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from projects import clock
from webhooks.admin import pages
from webhooks.models import TargetType, Webhook
from webhooks.triggers import Trigger
from webhooks.trying import samples, testing


class TrialForm(forms.Form):
    """Which sample."""

    trigger = forms.ChoiceField(choices=[(one, one) for one in samples.TRIGGERS])


def trial(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    """The form and the chosen sample; posted, it is sent while the caller waits."""
    usual = next((one for one in webhook.triggers if one in samples.TRIGGERS), samples.TRIGGERS[0])
    form = TrialForm(request.POST or request.GET or {"trigger": usual})
    trigger = Trigger(form.cleaned_data["trigger"] if form.is_valid() else usual)
    now, trial = clock.now(), None
    if request.method == "POST" and form.is_valid():
        try:
            trial = testing.send(webhook, trigger, now=now)
        except ValidationError as refusal:
            form.add_error(None, " ".join(refusal.messages))
    return pages.show(
        request,
        webhook,
        "test",
        form=form,
        trigger=trigger,
        is_dismissing=webhook.target_type == TargetType.DISMISS,
        sample=orjson.loads(samples.body(webhook, trigger, now=now)),
        trial=trial,
        answer=trial.response.body.decode(errors="replace") if trial else "",
        phases=testing.phases(trial.response.timings) if trial else {},
    )
