"""A webhook as a person fills it in, on its own page and on its app's."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from projects.admin.scoped import VisibleChoices
from projects.admin.secrets import SecretField, SecretsForm, remove_box
from projects.roles import Right, reach
from webhooks import subscribing
from webhooks.models import Webhook
from webhooks.triggers import MEANINGS, Trigger
from webhooks.trying import samples

ALL: Final = "ALL"
OTHERS: Final = "Others"
# By what they tell about: the beginning of their names, and what a person calls them.
GROUPS: Final = {
    "MESSAGE_": "Messages",
    "EVENT_": "Events",
    "CONVERSATION_": "Conversations",
    "CONTACT_": "Contacts",
    "OPT_": "Consents",
}


def grouped() -> dict[str, list[Trigger]]:
    """Every trigger, by what it tells about."""
    groups: dict[str, list[Trigger]] = {name: [] for name in [*GROUPS.values(), OTHERS]}
    for trigger in Trigger:
        groups[_group(trigger)].append(trigger)
    return groups


def trigger_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """The boxes: one for all, then of each group one for all of it and one for each trigger."""
    return [
        ("All", [(ALL, "Every trigger, those of later versions not included.")]),
        *(
            (
                name,
                [(_all_of(name), f"All: {name.lower()}"), *((one.value, MEANINGS[one]) for one in members)],
            )
            for name, members in grouped().items()
        ),
    ]


def _group(trigger: Trigger) -> str:
    if MEANINGS[trigger].startswith("Accepted for compatibility"):
        return OTHERS
    return next((name for prefix, name in GROUPS.items() if trigger.startswith(prefix)), OTHERS)


def _all_of(group: str) -> str:
    return f"{ALL}_{group.upper()}"


class TriggersWidget(forms.CheckboxSelectMultiple):
    """Check boxes in groups, each trigger with its meaning."""

    template_name = "admin/widgets/triggers.html"

    class Media:
        css = {"all": ["portal/webhooks.css"]}

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        return render_to_string(
            template_name, context | {"sampled": samples.TRIGGERS}
        )  # Django's own renderer knows only its own templates


class TriggersField(forms.MultipleChoiceField):
    """A set of triggers; a box for many stands for each of them."""

    widget = TriggersWidget

    def clean(self, value: Any) -> list[str]:
        """The triggers themselves, in their own order."""
        wanted = set(super().clean(value))
        for name, members in grouped().items():
            if wanted & {ALL, _all_of(name)}:
                wanted.update(members)
        return [trigger.value for trigger in Trigger if trigger in wanted]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set(initial or []) != set(data or [])


class WebhookForm(SecretsForm):
    """A webhook as a person fills it in."""

    secrets = ("secret", "client_secret")

    triggers = TriggersField(choices=trigger_choices, required=False)
    new_secret = SecretField(
        label="Secret",
        help_text="It signs the callbacks; without one they are not signed. It replaces the old one at once.",
    )
    remove_secret = remove_box()
    new_client_secret = SecretField(label="Client secret")
    remove_client_secret = remove_box()

    class Meta:
        model = Webhook
        fields = ["target", "target_type", "triggers", "is_4xx_final"]
        widgets = {"target": forms.URLInput(attrs={"class": "vURLField"})}
        help_texts = {
            "target": "The URL that gets the events by POST.",
            "target_type": "DISMISS keeps a record of each event and sends none; all that is below then has no effect.",
        }

    def wishes(self) -> dict[str, Any]:
        """What `webhooks.subscribing` is asked for."""
        asked = {name.removeprefix("new_") for name in self.fields}
        return {
            name: getattr(self.instance, name) for name in subscribing.Wishes.__annotations__ if name in asked
        }


class WebhookFormSet(forms.BaseInlineFormSet):
    """Webhooks of one app, saved by the verbs that the API uses."""

    def save_new(self, form: WebhookForm, commit: bool = True) -> Webhook:  # type: ignore[override]  # our form alone
        return subscribing.create(app=self.instance, **form.wishes())

    def save_existing(self, form: WebhookForm, obj: Webhook, commit: bool = True) -> Webhook:  # type: ignore[override]  # our form alone
        stored = Webhook.objects.get(pk=obj.pk)  # `obj` already has the new values
        subscribing.change(stored, **form.wishes())
        return stored

    def delete_existing(self, obj: Webhook, commit: bool = True) -> None:
        subscribing.remove(obj)


class WebhookInline(VisibleChoices, admin.StackedInline):
    """An app's webhooks on the app's page."""

    model = Webhook
    form = WebhookForm
    formset = WebhookFormSet
    template = "admin/edit_inline/cards.html"
    fields = ["target", "target_type", "triggers", "new_secret", "remove_secret"]
    extra = 1
    max_num = settings.MAX_WEBHOOKS_PER_APP
    show_change_link = True
    lead = "Each is told of the events it listens to, again and again until it answers 2xx or the retry window ends."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reach(request).may(Right.OPERATION, obj.project_id if obj else None)

    has_change_permission = has_delete_permission = has_add_permission

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True
