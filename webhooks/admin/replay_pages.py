"""Replaying from the portal: counted first, then begun, then watched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from projects import clock, ids
from webhooks.admin import pages
from webhooks.admin.log_pages import MOMENT
from webhooks.admin.wording import STATE_TONES
from webhooks.ageing.forgetting import EVENTS_ARE_KEPT
from webhooks.models import FASTEST, Event, Replay, Webhook
from webhooks.repeating import deliveries, replaying
from webhooks.repeating.replaying import Span
from webhooks.triggers import Trigger

LISTED: Final = 20
USUAL: Final = timedelta(hours=24)


class ReplayForm(forms.Form):
    """Which events, and how fast."""

    start_time = forms.DateTimeField(
        label="From (UTC)", widget=forms.DateTimeInput(attrs=MOMENT, format="%Y-%m-%dT%H:%M:%S")
    )
    end_time = forms.DateTimeField(
        label="Until (UTC)", widget=forms.DateTimeInput(attrs=MOMENT, format="%Y-%m-%dT%H:%M:%S")
    )
    trigger = forms.ChoiceField(
        choices=[("", "All that it listens to"), *((one, one) for one in Trigger)], required=False
    )
    only_failed = forms.BooleanField(label="Only what was given up (dead letters)", required=False)
    per_second = forms.IntegerField(
        label="Events a second", min_value=1, max_value=FASTEST, initial=10,
        help_text=f"1 to {FASTEST}, beside what is live.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """A span that is one."""
        cleaned = super().clean() or {}
        if {"start_time", "end_time"} <= cleaned.keys() and cleaned["start_time"] >= cleaned["end_time"]:
            self.add_error("end_time", "It must be later than the beginning.")
        return cleaned

    @property
    def span(self) -> Span:
        """What was asked for."""
        asked = self.cleaned_data
        return Span(
            start=asked["start_time"],
            end=asked["end_time"],
            trigger=asked["trigger"],
            only_failed=asked["only_failed"],
        )


def replay(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    """The form; asked with its fields, how many events that is; posted, it begins."""
    now = clock.now()
    is_asked = "start_time" in request.GET or request.method == "POST"
    form = ReplayForm(request.POST or request.GET) if is_asked else ReplayForm(initial=_usual(request, now))
    if request.method == "POST" and form.is_valid():
        return _start(request, webhook, form)
    recent = list(webhook.replays.order_by("-asked_at", "-id")[:LISTED])
    return pages.show(
        request,
        webhook,
        "replay",
        form=form,
        counted=replaying.count(webhook, form.span) if is_asked and form.is_valid() else None,
        dead_letters=webhook.dead_letters.all()[: deliveries.COUNTED_AT_MOST].count(),
        recent=[_seen(row, left) for row, left in _with_what_is_left(recent)],
        kept_days=EVENTS_ARE_KEPT.days,
    )


def progress(request: HttpRequest, webhook: Webhook, replay_id: str) -> HttpResponse:
    """How far a replay has come; posted, it is cancelled."""
    found = webhook.replays.filter(pk=replay_id).first() if ids.is_ulid(replay_id) else None
    if found is None:
        return HttpResponseRedirect(pages.address(webhook, "replay"))
    if request.method == "POST":
        replaying.cancel(found, now=clock.now())
        return HttpResponseRedirect(request.path)
    ((row, left),) = _with_what_is_left([found])
    return pages.show(
        request, webhook, "progress", tab="replay", heading="Replay", seen=_seen(row, left), now=clock.now()
    )


@require_POST
def again(request: HttpRequest, webhook: Webhook, event_id: str) -> HttpResponse:
    """One event once more."""
    events = Event.objects.filter(app=webhook.app_id, callback_url="")
    event = events.filter(pk=event_id).first() if ids.is_ulid(event_id) else None
    if event is None:
        return pages.refused(
            request, ValidationError("The event is not kept any more."), to=pages.address(webhook, "log")
        )
    try:
        begun = replaying.again(webhook, event, asked_by=request.user.get_username(), now=clock.now())
    except ValidationError as refusal:
        return pages.refused(request, refusal, to=pages.address(webhook, "delivery", event_id))
    return HttpResponseRedirect(pages.address(webhook, "progress", begun.id))


def _start(request: HttpRequest, webhook: Webhook, form: ReplayForm) -> HttpResponse:
    per_second, asked_by = form.cleaned_data["per_second"], request.user.get_username()
    try:
        begun = replaying.start(webhook, form.span, per_second=per_second, asked_by=asked_by, now=clock.now())
    except ValidationError as refusal:
        return pages.refused(request, refusal, to=pages.address(webhook, "replay"))
    return HttpResponseRedirect(pages.address(webhook, "progress", begun.id))


def _usual(request: HttpRequest, now: Any) -> dict[str, Any]:
    """The last day; of dead letters all that are left."""
    only_failed = "only_failed" in request.GET
    start = now - (EVENTS_ARE_KEPT if only_failed else USUAL)
    return {"start_time": start, "end_time": now, "only_failed": only_failed, "per_second": 10}


def _with_what_is_left(replays: list[Replay]) -> list[tuple[Replay, int]]:
    left = replaying.waiting(replays)
    return [(row, left.get(row.id, 0)) for row in replays]


def _seen(row: Replay, left: int) -> dict[str, Any]:
    """A replay as the pages show it. What is queued and done is known of it while it runs, and when it ends."""
    is_done = row.state == Replay.State.RUNNING and row.is_queued and not left
    state = Replay.State.FINISHED if is_done else Replay.State(row.state)
    return {
        "replay": row,
        "done": row.queued - left,
        "of": max(row.count, row.queued),
        "word": state.label,
        "tone": STATE_TONES[state],
        "is_running": state == Replay.State.RUNNING,
    }
