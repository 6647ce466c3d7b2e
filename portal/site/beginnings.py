"""What an empty list says: what would stand in it, and what puts it there."""

from typing import Final

BEGINNINGS: Final = {
    "projects.app": "An app is what an API user talks through: add one, then connect a channel to it.",
    "projects.channelcredential": "Each app authenticates on its channels with these: connect one on the app's page.",
    "projects.accesskey": "A key opens the API of one project: add one, and keep the secret that is shown once.",
    "conversations.conversation": "A conversation begins with its first message, from either side.",
    "conversations.message": "Messages stand here as soon as an app sends one or a contact writes.",
    "conversations.template": "A template is a message in several languages and versions, kept to be sent by its id.",
    "contacts.contact": "A contact is made by its first message, over the API, or here.",
    "webhooks.webhook": "A webhook gets an app's events by POST: add one, and send it a test event.",
    "webhooks.event": "An event stands here for two weeks from when a webhook was to be told of it.",
    "webhooks.attempt": "Each try to tell a webhook of an event stands here for 30 days.",
    "webhooks.deadletter": "Events that a webhook would not take until its time was up stand here, to be replayed.",
    "retention.retentionpolicy": "Every app began with the default policy. What was changed since stands here, for good.",
    "retention.changerequest": "Where a project demands four eyes, changes that delete wait here for a second person.",
    "retention.oweditem": "A policy changed by API without its legal ground is put on record here, until it is given.",
    "retention.justification": "The legal grounds of policies other than the default stand here.",
    "retention.legalhold": "A legal hold keeps messages whatever policies say: place one for a case or an order.",
    "retention.purge": "The first run that deletes something begins this ledger.",
    "retention.privacyrequest": "A copy or an erasure that a person asks for is taken in on the contact's page.",
}
