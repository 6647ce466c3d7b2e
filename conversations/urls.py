"""This room's part of `/v1/projects/{project_id}/`."""

from django.urls import path

from conversations import api

urlpatterns = [
    path("messages:send", api.SendMessage.as_view()),
    path("messages", api.Messages.as_view()),
    path("messages/<str:message_id>", api.OneMessage.as_view()),
    path("conversations", api.Conversations.as_view()),
    path("conversations/<str:conversation_id>", api.OneConversation.as_view()),
]
