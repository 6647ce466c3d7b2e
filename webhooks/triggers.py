"""The kinds of event that a webhook can listen to."""

from enum import StrEnum
from typing import Final


class Trigger(StrEnum):
    """What happened. Each has its body key and its meaning in the tables below."""

    MESSAGE_SUBMIT = "MESSAGE_SUBMIT"
    MESSAGE_DELIVERY = "MESSAGE_DELIVERY"
    MESSAGE_INBOUND = "MESSAGE_INBOUND"
    EVENT_DELIVERY = "EVENT_DELIVERY"
    EVENT_INBOUND = "EVENT_INBOUND"
    CONVERSATION_START = "CONVERSATION_START"
    CONVERSATION_STOP = "CONVERSATION_STOP"
    CONVERSATION_DELETE = "CONVERSATION_DELETE"
    CONTACT_CREATE = "CONTACT_CREATE"
    CONTACT_UPDATE = "CONTACT_UPDATE"
    CONTACT_DELETE = "CONTACT_DELETE"
    CONTACT_MERGE = "CONTACT_MERGE"
    CONTACT_IDENTITIES_DUPLICATION = "CONTACT_IDENTITIES_DUPLICATION"
    CAPABILITY = "CAPABILITY"
    OPT_IN = "OPT_IN"
    OPT_OUT = "OPT_OUT"
    CHANNEL_EVENT = "CHANNEL_EVENT"
    UNSUPPORTED = "UNSUPPORTED"
    MESSAGE_INBOUND_SMART_CONVERSATION_REDACTION = "MESSAGE_INBOUND_SMART_CONVERSATION_REDACTION"
    RECORD_NOTIFICATION = "RECORD_NOTIFICATION"
    SMART_CONVERSATION = "SMART_CONVERSATION"
    SMART_CONVERSATIONS = "SMART_CONVERSATIONS"
    BATCH_STATUS_UPDATE = "BATCH_STATUS_UPDATE"


# Under which key of the envelope the body stands: wire contract 3.7.
BODY_KEYS: Final = {
    Trigger.MESSAGE_SUBMIT: "message_submit_notification",
    Trigger.MESSAGE_DELIVERY: "message_delivery_report",
    Trigger.MESSAGE_INBOUND: "message",
    Trigger.EVENT_DELIVERY: "event_delivery_report",
    Trigger.EVENT_INBOUND: "event",
    Trigger.CONVERSATION_START: "conversation_start_notification",
    Trigger.CONVERSATION_STOP: "conversation_stop_notification",
    Trigger.CONVERSATION_DELETE: "conversation_delete_notification",
    Trigger.CONTACT_CREATE: "contact_create_notification",
    Trigger.CONTACT_UPDATE: "contact_update_notification",
    Trigger.CONTACT_DELETE: "contact_delete_notification",
    Trigger.CONTACT_MERGE: "contact_merge_notification",
    Trigger.CONTACT_IDENTITIES_DUPLICATION: "duplicated_contact_identities_notification",
    Trigger.CAPABILITY: "capability_notification",
    Trigger.OPT_IN: "opt_in_notification",
    Trigger.OPT_OUT: "opt_out_notification",
    Trigger.CHANNEL_EVENT: "channel_event_notification",
    Trigger.UNSUPPORTED: "unsupported_callback",
    Trigger.MESSAGE_INBOUND_SMART_CONVERSATION_REDACTION: "message_redaction",
    Trigger.RECORD_NOTIFICATION: "record_notification",
    Trigger.SMART_CONVERSATION: "smart_conversation_notification",
    Trigger.SMART_CONVERSATIONS: "smart_conversation_notification",
    Trigger.BATCH_STATUS_UPDATE: "batch_status_update_notification",
}

# The sentence that the portal shows beside each.
MEANINGS: Final = {
    Trigger.MESSAGE_SUBMIT: "A message was accepted for sending.",
    Trigger.MESSAGE_DELIVERY: "A delivery receipt: what became of a message.",
    Trigger.MESSAGE_INBOUND: "A contact wrote.",
    Trigger.EVENT_DELIVERY: "What became of an event sent to a contact.",
    Trigger.EVENT_INBOUND: "A contact did something other than writing.",
    Trigger.CONVERSATION_START: "A conversation began.",
    Trigger.CONVERSATION_STOP: "A conversation was stopped.",
    Trigger.CONVERSATION_DELETE: "A conversation was deleted, or expired.",
    Trigger.CONTACT_CREATE: "A contact was created.",
    Trigger.CONTACT_UPDATE: "A contact was changed.",
    Trigger.CONTACT_DELETE: "A contact was deleted.",
    Trigger.CONTACT_MERGE: "Two contacts became one.",
    Trigger.CONTACT_IDENTITIES_DUPLICATION: "Several contacts share an identity.",
    Trigger.CAPABILITY: "The answer to a capability query.",
    Trigger.OPT_IN: "A contact wants messages again.",
    Trigger.OPT_OUT: "A contact no longer wants messages.",
    Trigger.CHANNEL_EVENT: "The channel reports about itself.",
    Trigger.UNSUPPORTED: "A channel sent what this server does not know.",
    Trigger.MESSAGE_INBOUND_SMART_CONVERSATION_REDACTION: "Accepted for compatibility, never fired.",
    Trigger.RECORD_NOTIFICATION: "Accepted for compatibility, never fired.",
    Trigger.SMART_CONVERSATION: "Accepted for compatibility, never fired.",
    Trigger.SMART_CONVERSATIONS: "Accepted for compatibility, never fired.",
    Trigger.BATCH_STATUS_UPDATE: "Accepted for compatibility, never fired.",
}


def choices() -> list[tuple[str, str]]:
    """For model and form fields; a function, so that a new trigger makes no migration."""
    return [(trigger.value, trigger.value) for trigger in Trigger]
