"""The delivery log of one webhook, and the page of one delivery."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import orjson
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from rest_framework.exceptions import ValidationError as NotOurToken

from outbox.models import Entry
from projects import clock, ids
from projects.requests.paging import Page
from webhooks.admin import pages
from webhooks.admin.copy_form import CopyForm, is_copied, may_copy
from webhooks.admin.wording import RESULT_TONES, result_word
from webhooks.models import Attempt, Event, Webhook
from webhooks.repeating import deliveries
from webhooks.repeating.deliveries import IN_TURN, NEWEST_FIRST, STATUS_CLASSES, Filters
from webhooks.triggers import Trigger
from webhooks.trying import testing

ROWS: Final = 50
WAITING_SHOWN: Final = 5
STATUS_WORDS: Final = {"none": "No answer"}
MOMENT: Final = {"type": "datetime-local", "step": "1"}


class LogFilter(forms.Form):
    """Which tries are listed."""

    trigger = forms.ChoiceField(choices=[("", "Any"), *((one, one) for one in Trigger)], required=False)
    result = forms.ChoiceField(
        choices=[("", "Any"), *((one, result_word(one)) for one in Attempt.Result.values)], required=False
    )
    status_class = forms.ChoiceField(
        label="Status", choices=[("", "Any"), *((one, STATUS_WORDS.get(one, one)) for one in STATUS_CLASSES)], required=False
    )  # fmt: skip
    start_time = forms.DateTimeField(
        label="From (UTC)", required=False, widget=forms.DateTimeInput(attrs=MOMENT)
    )
    end_time = forms.DateTimeField(
        label="Until (UTC)", required=False, widget=forms.DateTimeInput(attrs=MOMENT)
    )
    event_id = forms.CharField(
        label="Event id", required=False, widget=forms.TextInput(attrs={"class": "mono"})
    )
    replay_id = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_event_id(self) -> str:
        """An id as we write them."""
        return _id(self.cleaned_data["event_id"])

    def clean_replay_id(self) -> str:
        """The same."""
        return _id(self.cleaned_data["replay_id"])


def log(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    """What waits, and each try, the newest first."""
    form = LogFilter(request.GET)
    wanted = Filters(**form.cleaned_data) if form.is_valid() else None
    try:
        page = Page(ROWS, request.GET.get("page", ""), request.path)
        tried, token = page.cut(deliveries.attempts(webhook, wanted), by=NEWEST_FIRST) if wanted else ([], "")
    except NotOurToken:
        return HttpResponseRedirect(request.path)
    entries = list(deliveries.waiting(webhook).order_by(*IN_TURN)[:WAITING_SHOWN])
    triggers = deliveries.triggers_of(
        [*(one.event_id for one in tried), *(ids.from_uuid(one.ref) for one in entries)]
    )
    asked = {name: value for name, value in request.GET.items() if value and name != "page"}
    return pages.show(
        request,
        webhook,
        "log",
        form=form,
        rows=[_row(attempt, triggers.get(attempt.event_id, "")) for attempt in tried],
        is_filtered=bool(asked),
        older=urlencode(asked | {"page": token}) if token else "",
        is_newest="page" not in request.GET,
        waiting=[_waiting(entry, triggers) for entry in entries],
        waiting_count=deliveries.waiting_count(webhook),
        counted_at_most=deliveries.COUNTED_AT_MOST,
        now=clock.now(),
    )


def delivery(request: HttpRequest, webhook: Webhook, event_id: str) -> HttpResponse:
    """One event on its way: what was sent, and every answer; posted, a copy of it goes elsewhere."""
    known = deliveries.delivery(webhook, event_id) if ids.is_ulid(event_id) else None
    if known is None:
        return HttpResponseRedirect(pages.address(webhook, "log"))
    trigger = known.event.trigger if known.event else ""
    form = CopyForm(request.POST or None)
    if request.method == "POST" and known.event and is_copied(request, webhook, known.event, form):
        return HttpResponseRedirect(f"{request.path}#copies")
    return pages.show(
        request,
        webhook,
        "delivery",
        tab="log",
        heading=f"Delivery of {trigger or 'an event that was purged'}",
        event_id=event_id,
        known=known,
        body=_body(known.event),
        rows=[_row(attempt, trigger) for attempt in known.attempts],
        copies=[_row(attempt, trigger) for attempt in known.copies],
        copy_form=form if known.event and may_copy(request, webhook) else None,
    )


def _row(attempt: Attempt, trigger: str) -> dict[str, Any]:
    return {
        "attempt": attempt,
        "trigger": trigger,
        "word": result_word(attempt.result),
        "tone": RESULT_TONES[Attempt.Result(attempt.result)],
        "phases": testing.phases(attempt.timings),
        "answer": bytes(attempt.response_body).decode(errors="replace"),
    }


def _waiting(entry: Entry, triggers: dict[str, str]) -> dict[str, Any]:
    event_id = ids.from_uuid(entry.ref)
    return {"entry": entry, "event_id": event_id, "trigger": triggers.get(event_id, "")}


def _body(event: Event | None) -> Any:
    return orjson.loads(bytes(event.body)) if event and event.body else None


def _id(text: str) -> str:
    text = text.strip().upper()
    if text and not ids.is_ulid(text):
        raise forms.ValidationError("This is no id: ids have 26 letters and digits.")
    return text
