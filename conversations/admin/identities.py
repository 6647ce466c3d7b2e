"""How a contact's form takes identities and the order of channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from contacts.models import ChannelIdentity
from contacts.writing import ScopedIdentity
from gateway.channels import normalise
from gateway.channels.base import Channel
from projects.admin.scoped import VisibleChoices
from projects.roles import Right, reach


class PriorityWidget(forms.Widget):
    """Channels with a number each: 1 is tried first, none is left to the app's order.

    `likely` channels, those on which the contact is known, are offered first.
    """

    template_name = "admin/widgets/priority.html"
    use_fieldset = True
    likely: Sequence[str] = ()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """The channels that have a number, in their order, and the likely ones; apart from them, all others."""
        ranked: list[str] = list(value or [])
        near = [*ranked, *dict.fromkeys(channel for channel in self.likely if channel not in ranked)]
        numbered = [(channel, f"{name}_{channel}", place) for place, channel in enumerate(ranked, start=1)]
        rows = numbered + [(channel, f"{name}_{channel}", "") for channel in near[len(ranked) :]]
        others = [(channel.value, f"{name}_{channel}") for channel in Channel if channel not in near]
        return super().get_context(name, value, attrs) | {"rows": rows, "others": others}

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        return render_to_string(template_name, context)  # Django's own renderer knows only its own templates

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        """The numbered channels, by their numbers."""
        numbers = {channel.value: data.get(f"{name}_{channel}", "").strip() for channel in Channel}
        ranked = [channel for channel, number in numbers.items() if number.isdecimal()]
        return sorted(ranked, key=lambda channel: int(numbers[channel]))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return not any(f"{name}_{channel}" in data for channel in Channel)


class PriorityField(forms.Field):
    """An order of channels."""

    widget = PriorityWidget

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != list(data or [])


class IdentityForm(forms.ModelForm):
    """One identity, written as any person would; it is kept as the API keeps it."""

    class Meta:
        model = ChannelIdentity
        fields = ["channel", "identity", "app"]

    def clean(self) -> dict[str, Any] | None:
        """The identity as it is kept: phone numbers as bare digits."""
        cleaned = super().clean()
        if {"channel", "identity"} <= self.cleaned_data.keys():
            channel, identity = Channel(self.cleaned_data["channel"]), self.cleaned_data["identity"]
            try:
                self.cleaned_data["identity"] = normalise(channel, identity)
            except ValueError as error:
                self.add_error("identity", str(error))
        return cleaned


class IdentityFormSet(forms.BaseInlineFormSet):
    """All identities of a contact. They are saved whole, with the contact, by `contacts.writing`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # The admin's log asks for them after a save that never comes.
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []

    def clean(self) -> None:
        """An app that an identity is scoped to is the contact's project's."""
        super().clean()
        for form in self.forms:
            app = form.cleaned_data.get("app") if hasattr(form, "cleaned_data") else None
            if app and self.instance.project_id and app.project_id != self.instance.project_id:
                form.add_error(
                    "app", "Select a valid choice. That choice is not one of the available choices."
                )

    @property
    def wanted(self) -> list[ScopedIdentity]:
        """The identities as they shall be, in the order of the form."""
        kept = [form.cleaned_data for form in self.forms if form not in self.deleted_forms]
        found = [
            ScopedIdentity(
                Channel(data["channel"]), data["identity"], data["app"].pk if data.get("app") else None
            )
            for data in kept
            if data.get("identity")
        ]
        return list(dict.fromkeys(found))


class IdentityInline(VisibleChoices, admin.TabularInline):
    """The identities on a contact's page: project-wide first, then by app."""

    model = ChannelIdentity
    form = IdentityForm
    formset = IdentityFormSet
    template = "admin/contacts/identities.html"
    fields = ["channel", "identity", "app"]
    extra = 2

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("app").order_by("position", "id")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reach(request).may(Right.OPERATION, obj.project_id if obj else None)

    has_change_permission = has_delete_permission = has_add_permission

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True
