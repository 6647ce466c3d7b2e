"""Privacy requests: taken in at the contact's page, decided on their own, with what was done as their proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from contacts.models import Contact
from projects import clock
from projects.admin import cells
from projects.admin.scoped import Recorded, VisibleFilter
from projects.roles import Right, reach
from retention.admin import facts
from retention.models import PrivacyRequest
from retention.privacy import erasing, exporting, requests

State = PrivacyRequest.State
TONES = {
    State.OPEN: "busy",
    State.APPROVED: "busy",
    State.HELD: "busy",
    State.DONE: "good",
    State.REFUSED: "bad",
}
CONTENT_TYPES = {"json": "application/json", "csv": "text/csv"}


class RequestForm(forms.Form):
    """What a person asks for, and how that is known."""

    kind = forms.ChoiceField(
        choices=PrivacyRequest.Kind.choices, widget=forms.RadioSelect, label="What is asked for"
    )
    identity_check = forms.CharField(
        max_length=255, label="How you know who asks", widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="For instance: a code sent to the number.",
    )  # fmt: skip
    reference = forms.CharField(
        max_length=255, required=False, widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=PrivacyRequest._meta.get_field("reference").help_text,
    )  # fmt: skip


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(Recorded):
    """What persons asked for, and what became of it."""

    list_display = ["kind", "state_badge", "due_at", "received_at", "project", "contact_id"]
    list_select_related = ["project"]
    list_filter = [("project", VisibleFilter), "kind", "state"]
    search_fields = ["reference__exact"]
    search_help_text = "The id of a request or a contact, or your own number."
    id_lookups = ("pk", "contact_id")
    ordering = ["-id"]
    fields = ["kind", "contact", "project", "state_badge", "reference", "identity_check", "received_at", "due_at",
              "extension", "requested_by", "decided_by", "decided_at", "refusal", "closed_at"]  # fmt: skip
    readonly_fields = ["contact", "state_badge"]
    change_form_template = "admin/retention/privacy.html"

    @admin.display(description="State", ordering="state")
    def state_badge(self, asked: PrivacyRequest) -> SafeString:
        return cells.state(asked.get_state_display(), TONES[State(asked.state)])

    @admin.display(description="Contact")
    def contact(self, asked: PrivacyRequest) -> SafeString:
        if not Contact.objects.filter(pk=asked.contact_id, project=asked.project_id).exists():
            return cells.code(asked.contact_id)
        return cells.link(
            asked.contact_id, to=reverse("admin:contacts_contact_change", args=[asked.contact_id])
        )

    def get_fields(self, request: HttpRequest, obj: PrivacyRequest | None = None) -> list[Any]:
        """Without what has not happened."""
        return facts.filled(obj, self.fields)

    def get_urls(self) -> list[URLPattern]:
        """Taking in, the decisions, and the copy itself."""
        views: dict[str, tuple[str, Any]] = {
            "take-in/<path:object_id>/": ("take_in", self.take_in_view),
            "<path:object_id>/decide/": ("decide", self.decide_view),
            "<path:object_id>/copy.<slug:extension>": ("copy", self.copy_view),
        }
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"retention_privacyrequest_{name}")
                for route, (name, view) in views.items()
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        asked: PrivacyRequest = options["obj"]
        context |= {
            "may_decide": reach(request).may(Right.RETENTION, asked.project_id),
            "is_fetchable": _is_fetchable(asked),
            "verbs": asked.state == State.OPEN,
            "done": [
                (facts.called(table), asked.erased.get(table, 0), asked.held.get(table, 0))
                for table in sorted(asked.erased | asked.held)
            ],
        }
        return super().render_change_form(request, context, *args, **options)

    def take_in_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put a contact's request on record."""
        contact = self._contact(request, object_id)
        if contact is None:
            return self.missing(request, object_id)
        form = RequestForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                asked = requests.receive(contact, **form.cleaned_data, by=request.user, now=clock.now())
            except ValidationError as refusal:
                form.add_error(None, refusal)
            else:
                self.log_addition(request, asked, "Taken in.")
                return self._to(asked)
        context = self.admin_site.each_context(request) | {
            "title": "Privacy request", "opts": self.opts, "form": form, "contact": contact,
        }  # fmt: skip
        return TemplateResponse(request, "admin/retention/take_in.html", context)

    def decide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Approve, refuse, or give it two months more."""
        asked: PrivacyRequest | None = self.get_object(request, object_id)
        if asked is None:
            return self.missing(request, object_id)
        if not reach(request).may(Right.RETENTION, asked.project_id):
            raise PermissionDenied
        if request.method == "POST":
            try:
                self._decide(request, asked, request.POST.get("verb", ""), request.POST.get("why", ""))
            except ValidationError as refusal:
                messages.error(request, " ".join(refusal.messages))
            except erasing.NotErased as failure:
                messages.error(request, str(failure))
        return self._to(asked)

    def _decide(self, request: HttpRequest, asked: PrivacyRequest, verb: str, why: str) -> None:
        now = clock.now()
        match verb:
            case "approve":
                asked = requests.approve(asked, by=request.user, now=now)
                if asked.kind == PrivacyRequest.Kind.ERASURE:
                    asked = erasing.erase(asked, seconds=erasing.PATIENCE, now=now)
            case "refuse":
                asked = requests.refuse(asked, why=why, by=request.user, now=now)
            case "extend":
                asked = requests.extend(asked, why=why)
            case _:
                raise ValidationError("Choose what to do: approve, refuse or extend.")
        self.log_change(request, asked, f"{verb.capitalize()}: {asked.get_state_display()}.")
        messages.success(request, f"{asked.get_state_display()}.")

    def copy_view(
        self, request: HttpRequest, object_id: str, extension: str
    ) -> HttpResponse | StreamingHttpResponse:
        """The copy, made while it is fetched; who fetched it stands in the history."""
        asked: PrivacyRequest | None = self.get_object(request, object_id)
        if asked is None or extension not in CONTENT_TYPES:
            return self.missing(request, object_id)
        if not reach(request).may(Right.RETENTION, asked.project_id):
            raise PermissionDenied
        contact = Contact.objects.filter(pk=asked.contact_id, project=asked.project_id).first()
        if contact is None or not _is_fetchable(asked):
            messages.error(request, "The copy can be fetched for seven days, while the contact exists.")
            return self._to(asked)
        self.log_change(request, asked, f"The copy was fetched ({extension}).")
        if extension == "csv":
            return _download(exporting.messages_table(contact), contact, extension)
        return _download(exporting.bundle(contact, now=clock.now()), contact, extension)

    def _contact(self, request: HttpRequest, object_id: str) -> Contact | None:
        """Of a project in which the caller has the right; raises PermissionDenied where they only see it."""
        contact = Contact.objects.filter(pk=object_id).first()
        if contact is None or not reach(request).sees(contact.project_id):
            return None
        if not reach(request).may(Right.RETENTION, contact.project_id):
            raise PermissionDenied
        return contact

    def _to(self, asked: PrivacyRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:retention_privacyrequest_change", args=[asked.pk]))


def _is_fetchable(asked: PrivacyRequest) -> bool:
    until = asked.downloadable_until
    return until is not None and clock.now() < until


def _download(
    content: Iterator[bytes] | Iterator[str], contact: Contact, extension: str
) -> StreamingHttpResponse:
    headers = {
        "Content-Disposition": f'attachment; filename="contact-{contact.pk}.{extension}"',
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(content, content_type=CONTENT_TYPES[extension], headers=headers)
