"""What a client may say about an app, in the words of the rooms below."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from rest_framework.exceptions import ValidationError

from gateway.channels.base import Channel
from gateway.channels.credentials import CREDENTIALS
from projects.credentials import Wanted
from projects.models import App
from projects.requests.inputs import Day, Flag, Input, Inputs, OneOf, Pairs, Text, Whole
from retention.deciding.changing import Ground
from retention.models import Justification, RetentionPolicy
from retention.policies import DEFAULT_TTL_DAYS, TTL_BOUNDS, PolicyType, Scope

# What a client may send along and nobody changes.
FIXED: Final = ("id", "rate_limits", "queue_stats", "persist_message_status", "message_search")
_LONGEST_SECRET: Final = 1024  # characters


class CredentialBody(Input):
    """The contract's channel credential, with one object of its channel's kind.

    Bounds are checked where the credentials are replaced.
    """

    channel = OneOf(Channel)
    callback_secret = Text(default="")
    credential_ordinal_number = Whole(default=0, source="ordinal_number")

    def get_fields(self) -> dict[str, Any]:
        """One more for each kind; what must be in it depends on the channel, as `credentials.check` says."""
        return super().get_fields() | {key: Pairs(required=False) for key in CREDENTIALS}

    def validate(self, attrs: dict[str, Any]) -> Wanted:
        """With exactly one of the kinds."""
        keys = [key for key in CREDENTIALS if key in attrs]
        if len(keys) != 1:
            raise ValidationError(
                f"must have exactly one credential object, e.g. static_bearer; it has {len(keys)}"
            )
        key = keys[0]
        return Wanted(key=key, values=attrs.pop(key), **attrs)


class JustificationBody(Input):
    """The legal ground of a policy: our extension of the contract."""

    category = OneOf.of(Justification, "category")
    reference = Text(default="")
    text = Text()
    review_on = Day(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Ground]:
        """As the change takes it."""
        return {"ground": Ground(**attrs)}


class RetentionPolicyBody(Input):
    """The contract's RetentionPolicy."""

    scope: ClassVar[Scope] = Scope.MESSAGES

    retention_type = OneOf.of(RetentionPolicy, "retention_type")
    ttl_days = Whole(required=False)
    justification = JustificationBody(source="*", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What is kept for ever has no age, so any number goes there: wire contract 3.1."""
        days = attrs.setdefault("ttl_days", DEFAULT_TTL_DAYS[self.scope])
        lowest, highest = TTL_BOUNDS[self.scope]
        if attrs["retention_type"] == PolicyType.PERSIST_RETENTION_POLICY and not lowest <= days <= highest:
            attrs["ttl_days"] = DEFAULT_TTL_DAYS[self.scope]
        return attrs | {"scope": self.scope}


class DispatchRetentionPolicyBody(RetentionPolicyBody):
    """The same for messages that are dispatched alone."""

    scope = Scope.DISPATCH


class SmartConversationBody(Input):
    """Whether messages are analysed."""

    enabled = Flag.of(App, "smart_conversation", source="smart_conversation")


class CallbackSettingsBody(Input):
    """What signs the callbacks that go to a request's own URL."""

    secret_for_overridden_callback_urls = Text.of(
        App, "callback_secret", source="callback_secret", max_length=_LONGEST_SECRET
    )


class RetrySettingsBody(Input):
    """How long a channel is tried."""

    retry_duration = Whole.of(App, "retry_duration")


class FallbackBody(Input):
    """When the next channel is tried for want of a delivery report."""

    enabled = Flag.of(App, "fallback_enabled", source="fallback_enabled")
    delivery_report_waiting_time = Whole.of(App, "fallback_waiting_time", source="fallback_waiting_time")


class AppBody(Input):
    """The contract's App, as far as a client writes it."""

    display_name = Text.of(App, "display_name")
    channel_credentials = Inputs(child=CredentialBody(), default=list)
    conversation_metadata_report_view = OneOf.of(App, "conversation_metadata_report_view")
    processing_mode = OneOf.of(App, "processing_mode")
    smart_conversation = SmartConversationBody(source="*", required=False)
    callback_settings = CallbackSettingsBody(source="*", required=False)
    message_retry_settings = RetrySettingsBody(source="*", required=False)
    delivery_report_based_fallback = FallbackBody(source="*", required=False)
    retention_policy = RetentionPolicyBody(required=False)
    dispatch_retention_policy = DispatchRetentionPolicyBody(required=False)


class NewAppBody(AppBody):
    """What an app cannot be made without: its credentials too, though the list may be empty."""

    channel_credentials = Inputs(child=CredentialBody())
