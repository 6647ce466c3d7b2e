"""Channel credentials: one form per channel, and their order on the app's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from gateway.channels import credentials
from gateway.channels.base import Channel
from gateway.channels.credentials import ALLOWED_KEYS, CREDENTIALS, Field
from projects.admin import cells
from projects.admin.scoped import ProjectScoped, VisibleFilter
from projects.admin.secrets import SecretField, SecretsForm, described, remove_box
from projects.credentials import disconnect, put
from projects.models import ChannelCredential, CredentialStatus

TONES = {CredentialStatus.PENDING: "busy", CredentialStatus.ACTIVE: "good", CredentialStatus.FAILING: "bad"}


def field_name(path: str) -> str:
    """What the form calls a value of the credential object."""
    return f"value_{path.replace('.', '__')}"


def value_fields(key: str) -> dict[str, forms.Field]:
    """A form field for each value of this kind of credential object."""
    return {field_name(field.path): _form_field(field) for field in CREDENTIALS[key].fields}


def _form_field(field: Field) -> forms.Field:
    label = field.path.replace("_", " ").replace(".", ": ").capitalize()
    if field.is_flag:
        return forms.BooleanField(label=label, required=False)
    if field.is_secret:
        return SecretField(label=label)
    return forms.CharField(
        label=label,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )


class CredentialForm(SecretsForm):
    """A credential of one channel. `channel` and `key` come with the page's own subclass."""

    channel: ClassVar[str] = ""
    key: ClassVar[str] = ""
    secrets = ("callback_secret",)

    new_callback_secret = SecretField(
        label="Callback secret", help_text="It proves that callbacks are the channel's own."
    )
    remove_callback_secret = remove_box()

    class Meta:
        model = ChannelCredential
        fields = ["app", "ordinal_number"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stored: dict[str, Any] = {} if self.instance._state.adding else self.instance.values
        for field in CREDENTIALS[self.key].fields if self.key else ():
            if field_name(field.path) in self.fields:
                self._show(field)

    def _show(self, field: Field) -> None:
        stored = _at(self.stored, field.path)
        form_field = self.fields[field_name(field.path)]
        if not field.is_secret:
            form_field.initial = stored
        elif stored:
            form_field.help_text = f"{described(stored)} Leave empty to keep it."
        elif field.is_required:
            form_field.help_text = "Required."

    def _post_clean(self) -> None:
        """Give the row its values before it validates itself."""
        values = _nested(dict(self._entered()))
        for path, problem in credentials.check(Channel(self.channel), self.key, values):
            name = field_name(path.removeprefix(f"{self.key}."))
            self.add_error(name if name in self.fields else None, problem)
        self.instance.channel, self.instance.key = self.channel, self.key
        self.instance.values = values
        super()._post_clean()

    def clean(self) -> dict[str, Any] | None:
        """One credential for each channel: the constraint names the channel, which is no field of the form."""
        cleaned = super().clean()
        if app := self.cleaned_data.get("app"):
            self.instance.app = app
        if self.instance.app_id:
            self.instance.channel = self.channel
            self.instance.ordinal_number = (
                self.cleaned_data.get("ordinal_number") or self.instance.ordinal_number
            )
            self.instance.validate_constraints(exclude={"position"})
        return cleaned

    def _entered(self) -> Iterator[tuple[str, Any]]:
        for field in CREDENTIALS[self.key].fields:
            value = self.cleaned_data.get(field_name(field.path))
            if field.is_secret and not value:
                value = _at(self.stored, field.path)
            if value:
                yield field.path, value


def _at(values: Mapping[str, Any], path: str) -> Any:
    for name in path.split("."):
        values = values.get(name) or {}
    return values or ""


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"basic_auth.username": …}` as an object in an object."""
    whole: dict[str, Any] = {}
    for path, value in values.items():
        *groups, name = path.split(".")
        place = whole
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = value
    return whole


@admin.register(ChannelCredential)
class ChannelCredentialAdmin(ProjectScoped):
    """How apps authenticate against channels. The order of an app's credentials is set on its own page."""

    project_path = "app__project"
    list_display = ["channel", "app", "position_word", "state", "is_served_by_sandbox", "created_at"]
    list_select_related = ["app"]
    list_filter = [("app", VisibleFilter), "channel", "status"]
    search_fields = ["app__display_name"]
    id_lookups = ("pk", "app")
    ordering = ["app", "position"]
    change_form_template = "admin/projects/channelcredential/form.html"

    def rows(self, request: HttpRequest, right: Any = None) -> Any:
        """A deleted app's credentials went with it."""
        return super().rows(request, right).filter(app__deleted_at=None)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """First the channel, then what that channel asks for."""
        if request.GET.get("channel") in ALLOWED_KEYS or not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        context = self.admin_site.each_context(request) | {
            "title": "Which channel?", "opts": self.opts, "kinds": kinds(), "app_id": request.GET.get("app", ""),
        }  # fmt: skip
        return TemplateResponse(request, "admin/projects/channelcredential/pick.html", context)

    def get_fieldsets(self, request: HttpRequest, obj: ChannelCredential | None = None) -> Any:
        known = ["app_link", "state", "callback_url"] if obj else ["app"]
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": [*known, "shown_values"]})]
        channel, key = _kind(request, obj)
        more = ["ordinal_number"] if channel == Channel.LINE else []
        return [
            (None, {"fields": known}),
            (key.replace("_", " ").capitalize(), {"fields": [*value_fields(key), *more]}),
            ("Callbacks", {"fields": ["new_callback_secret", "remove_callback_secret"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["app_link", "state", "callback_url", "shown_values"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """The form of the credential's channel."""
        channel, key = _kind(request, obj)
        declared = {"channel": channel, "key": key, "__module__": __name__} | value_fields(key)
        return super().get_form(
            request, obj, change, **options | {"form": type("OfChannel", (CredentialForm,), declared)}
        )

    def save_model(self, request: HttpRequest, obj: ChannelCredential, form: Any, change: bool) -> None:
        """It replaces the one that it was, or is tried last."""
        put(obj)
        if not change:
            obj.pk = obj.app.credentials.get(channel=obj.channel, ordinal_number=obj.ordinal_number).pk

    def delete_model(self, request: HttpRequest, obj: ChannelCredential) -> None:
        """The app's others move up."""
        disconnect(obj)

    @admin.display(description="App")
    def app_link(self, credential: ChannelCredential) -> str:
        return str(credential.app)

    @admin.display(description="State")
    def state(self, credential: ChannelCredential) -> SafeString:
        return state_of(credential)

    @admin.display(description="Callback URL")
    def callback_url(self, credential: ChannelCredential) -> SafeString:
        return cells.code(credential.callback_url)

    @admin.display(description="Values")
    def shown_values(self, credential: ChannelCredential) -> SafeString:
        return cells.document(credentials.masked(credential.values, credential.key))

    @admin.display(description="Tried", ordering="position")
    def position_word(self, credential: ChannelCredential) -> str:
        return f"{credential.position + 1}."

    @admin.display(description="Sandbox", boolean=True)
    def is_served_by_sandbox(self, credential: ChannelCredential) -> bool:
        return credential.is_sandboxed


def kinds() -> list[tuple[str, str]]:
    """Every channel with each kind of credential object that it takes."""
    return [(channel.value, key) for channel, keys in ALLOWED_KEYS.items() for key in keys]


def state_of(credential: ChannelCredential) -> SafeString:
    """Whether it works, as a badge."""
    status = CredentialStatus(credential.status)
    return cells.state(status.label, TONES[status], hint=credential.status_description)


def problems_of(credential: ChannelCredential) -> list[str]:
    """In what it no longer fits what its channel asks for, one sentence each."""
    if credential._state.adding:
        return []  # the empty form of an app that has none
    found = credentials.check(Channel(credential.channel), credential.key, credential.values)
    return [f"{path} {problem}." for path, problem in found]


def _kind(request: HttpRequest, credential: ChannelCredential | None) -> tuple[str, str]:
    if credential:
        return credential.channel, credential.key
    channel = request.GET.get("channel", Channel.SANDBOX)
    channel = channel if channel in ALLOWED_KEYS else Channel.SANDBOX
    keys = ALLOWED_KEYS[Channel(channel)]
    asked = request.GET.get("type", keys[0])
    return channel, asked if asked in keys else keys[0]
