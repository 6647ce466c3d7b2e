"""This room's part of `/v1/projects/{project_id}/` and of `/v2/projects/{project_id}/`."""

from django.urls import path

from conversations.api import contacts, conversations, events, messages, templates

urlpatterns = [
    path("messages:send", messages.SendMessage.as_view()),
    path("messages:transcode", messages.TranscodeMessage.as_view()),
    path("messages:fetch-last-message", messages.LastMessages.as_view()),
    path("messages", messages.Messages.as_view()),
    path("messages/<message_id>", messages.OneMessage.as_view()),
    path("conversations:recent", conversations.RecentConversations.as_view()),
    path("conversations", conversations.Conversations.as_view()),
    path("conversations/<conversation_id>:stop", conversations.StopConversation.as_view()),
    path("conversations/<conversation_id>:inject-message", conversations.InjectMessage.as_view()),
    path("conversations/<conversation_id>:inject-event", events.InjectEvent.as_view()),
    path("conversations/<conversation_id>", conversations.OneConversation.as_view()),
    path("events:send", events.SendEvent.as_view()),
    path("events", events.Events.as_view()),
    path("events/<event_id>", events.OneEvent.as_view()),
    path("capability:query", events.QueryCapability.as_view()),
    path("contacts:getChannelProfile", contacts.ChannelProfile.as_view()),
    path("contacts/<contact_id>:merge", contacts.MergeContacts.as_view()),
    path("contacts/<contact_id>", contacts.ContactView.as_view()),
]

# The contract has templates on another host, with another version.
version_2 = [
    path("templates", templates.Templates.as_view()),
    path("templates/<template_id>", templates.OneTemplate.as_view()),
    path("templates/<template_id>/translations", templates.Translations.as_view()),
]
