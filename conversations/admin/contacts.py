"""The page of a contact: identities, the order of channels, conversations, and a phone to try them with."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from contacts import writing
from contacts.models import Contact
from conversations import merging, visibility
from conversations.admin.identities import IdentityInline, PriorityField
from conversations.admin.simulating import SimulationForm
from conversations.hearing import receiving
from conversations.models import Conversation
from projects import clock
from projects.admin.scoped import ProjectScoped, VisibleFilter

LISTED_CONVERSATIONS = 20


class ContactForm(forms.ModelForm):
    """A contact as a person fills it in."""

    channel_priority = PriorityField(
        required=False, help_text="1 is tried first. Channels without a number follow in the app's order."
    )

    class Meta:
        model = Contact
        fields = ["display_name", "email", "external_id", "language", "metadata", "channel_priority"]
        widgets = {"metadata": forms.Textarea(attrs={"rows": 3, "maxlength": 1024})}
        help_texts = {
            "display_name": "For chat windows.",
            "external_id": "The person in another system.",
            "metadata": "Up to 1024 characters, given back in callbacks.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "channel_priority" in self.fields and not self.instance._state.adding:
            known = [identity.channel for identity in self.instance.identities.all()]
            self.fields["channel_priority"].widget.likely = known


@admin.register(Contact)
class ContactAdmin(ProjectScoped):
    """People whom the apps of a project talk to."""

    form = ContactForm
    list_display = ["name", "known_as", "external_id", "email", "project", "created_at"]
    list_select_related = ["project"]
    list_filter = [("project", VisibleFilter), "language"]
    search_fields = [
        "display_name__istartswith",
        "email__iexact",
        "external_id__exact",
        "identities__identity__exact",
    ]
    search_help_text = "The start of a name, or a whole number, e-mail address, external id or id."
    ordering = ["-id"]
    inlines = [IdentityInline]
    change_form_template = "admin/contacts/page.html"
    own_fields: ClassVar[list[str]] = list(ContactForm.Meta.fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        """With their identities."""
        return super().get_queryset(request).prefetch_related("identities__app")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["project", *self.own_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["project"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        """One more: what a contact writes without a phone."""
        simulate = path(
            "<path:object_id>/simulate/",
            self.admin_site.admin_view(self.simulate_view),
            name="contacts_contact_simulate",
        )
        return [simulate, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        contact = options.get("obj")
        if contact:
            context |= self._beside(contact)
        return super().render_change_form(request, context, *args, **options)

    def _beside(self, contact: Contact) -> dict[str, Any]:
        conversations = Conversation.objects.filter(contact=contact).select_related("app").order_by("-id")
        return {
            "simulation": SimulationForm(contact),
            "conversations": conversations[:LISTED_CONVERSATIONS],
        }

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        """Nothing yet: a contact is written with its identities."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write both, and tell who listens."""
        identities, contact = formsets[0].wanted, form.instance
        fields = {name: form.cleaned_data[name] for name in self.own_fields}
        now = clock.now()
        if change:
            writing.change(contact, identities=identities, fields=fields, now=now)
            return
        made = writing.create(project_id=contact.project_id, identities=identities, fields=fields, now=now)
        contact.pk, contact._state.adding = made.pk, False

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete it; where a legal hold names it, its page says so."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except visibility.Held as refusal:
            messages.error(request, str(refusal.detail))
            return HttpResponseRedirect(reverse("admin:contacts_contact_change", args=[unquote(object_id)]))

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        merging.delete_contact(obj, by=request.user, now=clock.now())

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        """The contact alone: its conversations stay, as long as their apps' policies say."""
        return [str(contact) for contact in objs], {}, set(), []

    def simulate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The contact writes; the app hears it as it hears a phone."""
        contact = self.get_object(request, unquote(object_id))
        if contact is None:
            return self.missing(request, object_id)
        if not self.has_change_permission(request, contact):
            raise PermissionDenied
        form = SimulationForm(contact, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                credential = form.play(now=clock.now())
            except receiving.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"{contact} wrote to {credential.app} on {credential.channel}.")
                return HttpResponseRedirect(
                    reverse("admin:contacts_contact_change", args=[contact.pk]) + "#conversations"
                )
        context = self.admin_site.each_context(request) | {
            "title": f"{contact} writes", "opts": self.opts, "original": contact, "simulation": form,
        }  # fmt: skip
        return TemplateResponse(request, "admin/contacts/simulate.html", context)

    @admin.display(description="Name", ordering="display_name")
    def name(self, contact: Contact) -> str:
        return str(contact)

    @admin.display(description="Known as")
    def known_as(self, contact: Contact) -> str:
        return ", ".join(str(identity) for identity in contact.identities.all()) or "–"
