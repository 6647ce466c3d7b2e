"""Every operation of the API: under which name, with what it is asked, and what it answers.

An operation enters the schema by its line here; `tests/portal/test_openapi.py` says which line is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rest_framework.views import APIView

from contacts import api as people
from contacts import consent_api, settings_api
from contacts.serializers import ContactBody, ContactFilter
from conversations.api import bodies, contacts, conversations, events, messages, templates
from conversations.api import conversation_bodies as talk
from conversations.api import event_bodies as happening
from conversations.api import template_bodies as wording
from portal.api.apps import AppsView, AppView
from portal.api.justifications import JustificationsView, NewJustificationBody
from portal.api.serializers import AppBody, NewAppBody
from projects.api import TokenView
from projects.requests.inputs import Input
from retention import api as retention
from webhooks.api import deliveries, serializers, webhooks

Asked = type[Input]


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method of a view does not say of itself."""

    id: str  # a verb and its object, in the client's words
    answer: str  # a component of `answers`
    body: tuple[Asked, ...] = ()  # read one after the other
    query: Asked | None = None
    largest_page: int = 0  # 0: not paged
    first_page: int = 10
    is_masked: bool = False  # takes `update_mask`: no field of the body is required
    parameters: tuple[str, ...] = ()  # more of them, by their names in `parameters`
    refusals: tuple[int, ...] = ()  # beside those that any operation may give

    @property
    def summary(self) -> str:
        """`createApp` is "Create app"."""
        words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in self.id)
        return words.capitalize()


Operations = Mapping[tuple[type[APIView], str], Operation]

OPERATIONS: Final[Mapping[str, Operations]] = {
    "Token": {
        (TokenView, "post"): Operation("getToken", "Token"),
    },
    "Apps": {
        (AppsView, "get"): Operation("listApps", "Apps"),
        (AppsView, "post"): Operation("createApp", "App", (NewAppBody,)),
        (AppView, "get"): Operation("getApp", "App"),
        (AppView, "patch"): Operation("updateApp", "App", (AppBody,), is_masked=True),
        (AppView, "delete"): Operation("deleteApp", "Empty"),
        (JustificationsView, "get"): Operation("listJustifications", "Justifications"),
        (JustificationsView, "post"): Operation("giveJustification", "Justification", (NewJustificationBody,)),
    },
    "Legal holds": {
        (retention.LegalHolds, "get"): Operation(
            "listLegalHolds", "LegalHolds", query=retention.HoldFilter, largest_page=retention.LARGEST_PAGE
        ),
        (retention.LegalHolds, "post"): Operation(
            "placeLegalHold", "LegalHold", (retention.NewHoldBody,), refusals=(404,)
        ),
        (retention.OneLegalHold, "get"): Operation("getLegalHold", "LegalHold"),
        (retention.ReleaseLegalHold, "post"): Operation(
            "releaseLegalHold", "LegalHold", (retention.ReleaseBody,)
        ),
    },
    "Webhooks": {
        (webhooks.WebhooksView, "post"): Operation(
            "createWebhook", "Webhook", (serializers.Creation, serializers.Changes)
        ),
        (webhooks.AppWebhooksView, "get"): Operation("listWebhooks", "Webhooks"),
        (webhooks.WebhookView, "get"): Operation("getWebhook", "Webhook"),
        (webhooks.WebhookView, "patch"): Operation(
            "updateWebhook", "Webhook", (serializers.Changes,), is_masked=True
        ),
        (webhooks.WebhookView, "delete"): Operation("deleteWebhook", "Empty"),
        (deliveries.EnableWebhook, "post"): Operation("enableWebhook", "Webhook"),
        (deliveries.SendTestEvent, "post"): Operation("sendTestEvent", "TestEvent", (deliveries.TrialRequest,)),
    },
    "Deliveries": {
        (deliveries.Deliveries, "get"): Operation(
            "listDeliveries", "Deliveries", query=deliveries.Filter,
            largest_page=deliveries.LARGEST_PAGE, first_page=deliveries.LARGEST_PAGE // 2,
        ),
        (deliveries.OneDelivery, "get"): Operation("getDelivery", "Delivery"),
        (deliveries.ReplayDelivery, "post"): Operation("replayDelivery", "Replay"),
        (deliveries.ReplayDeliveries, "post"): Operation(
            "replayDeliveries", "ReplayOrCount", (deliveries.ReplayRequest,)
        ),
        (deliveries.Replays, "get"): Operation("listReplays", "Replays", largest_page=deliveries.LARGEST_PAGE),
        (deliveries.OneReplay, "get"): Operation("getReplay", "Replay"),
        (deliveries.CancelReplay, "post"): Operation("cancelReplay", "Replay"),
    },
    "Contacts": {
        (people.ContactsView, "get"): Operation(
            "listContacts", "Contacts", query=ContactFilter, largest_page=20
        ),
        (people.ContactsView, "post"): Operation("createContact", "Contact", (ContactBody,)),
        (contacts.ContactView, "get"): Operation("getContact", "Contact"),
        (contacts.ContactView, "patch"): Operation("updateContact", "Contact", (ContactBody,), is_masked=True),
        (contacts.ContactView, "delete"): Operation("deleteContact", "Empty"),
        (contacts.MergeContacts, "post"): Operation("mergeContacts", "Contact", (happening.MergeRequest,)),
        (contacts.ChannelProfile, "post"): Operation(
            "getChannelProfile", "ChannelProfile", (happening.ProfileRequest,)
        ),
        (people.IdentityConflictsView, "get"): Operation(
            "listIdentityConflicts", "IdentityConflicts", largest_page=20, first_page=20
        ),
    },
    "Consents": {
        (consent_api.ConsentsView, "get"): Operation("listConsents", "ConsentIdentities", largest_page=50),
        (consent_api.ConsentRecordsView, "get"): Operation("getConsentHistory", "ConsentHistory"),
    },
    "Settings": {
        (settings_api.SettingsView, "get"): Operation("getSettings", "Settings", refusals=(404,)),
        (settings_api.SettingsView, "post"): Operation(
            "createSettings", "Settings", (settings_api.SettingsBody,), refusals=(409,)
        ),
        (settings_api.SettingsView, "patch"): Operation(
            "updateSettings", "Settings", (settings_api.SettingsBody,), is_masked=True
        ),
        (settings_api.SettingsView, "delete"): Operation("deleteSettings", "Empty", refusals=(404,)),
    },
    "Messages": {
        (messages.SendMessage, "post"): Operation(
            "sendMessage", "MessageAccepted", (bodies.SendRequest,), parameters=("Idempotency-Key",)
        ),
        (messages.Messages, "get"): Operation(
            "listMessages", "Messages", query=bodies.MessageFilter, largest_page=1000
        ),
        (messages.LastMessages, "post"): Operation("fetchLastMessages", "Messages", (bodies.LastMessages,)),
        (messages.TranscodeMessage, "post"): Operation(
            "transcodeMessage", "TranscodedMessage", (bodies.Transcoding,)
        ),
        (messages.OneMessage, "get"): Operation(
            "getMessage", "ConversationMessage", parameters=("messages_source",)
        ),
        (messages.OneMessage, "patch"): Operation(
            "updateMessage", "ConversationMessage", (bodies.MessageChange,), parameters=("messages_source",)
        ),
        (messages.OneMessage, "delete"): Operation("deleteMessage", "Empty", parameters=("messages_source",)),
    },
    "Conversations": {
        (conversations.Conversations, "get"): Operation(
            "listConversations", "Conversations", query=talk.ConversationFilter, largest_page=20
        ),
        (conversations.Conversations, "post"): Operation(
            "createConversation", "Conversation", (talk.NewConversation, talk.ConversationBody)
        ),
        (conversations.RecentConversations, "get"): Operation(
            "listRecentConversations", "RecentConversations", query=talk.RecentFilter, largest_page=50,
            refusals=(404,),
        ),
        (conversations.OneConversation, "get"): Operation("getConversation", "Conversation"),
        (conversations.OneConversation, "patch"): Operation(
            "updateConversation", "Conversation", (talk.ConversationBody,), is_masked=True,
            parameters=("metadata_update_strategy",),
        ),
        (conversations.OneConversation, "delete"): Operation("deleteConversation", "Empty"),
        (conversations.StopConversation, "post"): Operation("stopConversation", "Empty"),
        (conversations.InjectMessage, "post"): Operation("injectMessage", "Empty", (talk.Injection,)),
        (events.InjectEvent, "post"): Operation("injectEvent", "EventAccepted", (happening.EventInjection,)),
    },
    "Events": {
        (events.SendEvent, "post"): Operation("sendEvent", "EventAccepted", (happening.EventRequest,)),
        (events.Events, "get"): Operation("listEvents", "Events", query=happening.EventFilter, largest_page=20),
        (events.OneEvent, "get"): Operation("getEvent", "ConversationEvent"),
        (events.OneEvent, "delete"): Operation("deleteEvent", "Empty"),
    },
    "Capability": {
        (events.QueryCapability, "post"): Operation(
            "queryCapability", "CapabilityQuery", (happening.CapabilityRequest,)
        ),
    },
    "Templates": {
        (templates.Templates, "get"): Operation("listTemplates", "Templates"),
        (templates.Templates, "post"): Operation(
            "createTemplate", "Template", (wording.TemplateBody,), refusals=(409,)
        ),
        (templates.OneTemplate, "get"): Operation("getTemplate", "Template"),
        (templates.OneTemplate, "put"): Operation("replaceTemplate", "Template", (wording.TemplateChange,)),
        (templates.OneTemplate, "delete"): Operation("deleteTemplate", "Empty"),
        (templates.Translations, "get"): Operation(
            "listTranslations", "Translations", query=wording.TranslationFilter
        ),
    },
}  # fmt: skip


def told(view: type[APIView], method: str) -> tuple[str, Operation] | None:
    """The operation's tag and its line; None where it has none."""
    return next(
        ((tag, lines[view, method]) for tag, lines in OPERATIONS.items() if (view, method) in lines), None
    )


def bodies_read() -> Iterator[Operation]:
    """The operations that read a body."""
    return (line for lines in OPERATIONS.values() for line in lines.values() if line.body)
