"""The app's credentials in their order: the app's channel priority."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from projects.admin.credentials import kinds, problems_of, state_of
from projects.admin.scoped import VisibleChoices
from projects.credentials import arrange
from projects.models import ChannelCredential
from projects.roles import Right, reach


class PlaceForm(forms.ModelForm):
    """A credential's place among the others: 1 is tried first."""

    place = forms.IntegerField(min_value=1, max_value=99, label="Place")

    class Meta:
        model = ChannelCredential
        fields: list[str] = []

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["place"].initial = self.instance.position + 1
        self.state = state_of(self.instance)
        self.problems = problems_of(self.instance)


class PlacesFormSet(forms.BaseInlineFormSet):
    """All of an app's credentials; their places are saved together."""

    def save(self, commit: bool = True) -> list[Any]:
        """Disconnect what was ticked, and leave the others in the order of the places given; ties as they stood."""
        leaving = [form for form in self.initial_forms if form in self.deleted_forms]
        kept = [form for form in self.initial_forms if form not in leaving]
        kept.sort(key=lambda form: (form.cleaned_data.get("place", 0), form.instance.position))
        self.new_objects: list[Any] = []
        self.deleted_objects = [form.instance for form in leaving]
        self.changed_objects = [
            (form.instance, ["position"])
            for position, form in enumerate(kept)
            if form.instance.position != position
        ]
        if self.deleted_objects or self.changed_objects:
            arrange(self.instance, [form.instance.pk for form in kept])
        return [credential for credential, _ in self.changed_objects]


class CredentialInline(VisibleChoices, admin.TabularInline):
    """The order of an app's credentials. Each is made and changed on a page of its own."""

    model = ChannelCredential
    form = PlaceForm
    formset = PlacesFormSet
    template = "admin/projects/credentials.html"
    fields = ["place"]
    extra = 0
    max_num = 0  # nothing is added here
    kinds = staticmethod(kinds)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reach(request).may(Right.OPERATION, obj.project_id if obj else None)

    has_delete_permission = has_change_permission

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True
