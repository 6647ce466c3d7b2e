"""The contacts' addresses, below one project; one contact's own is a room higher, where it can be deleted."""

from django.urls import path

from contacts import api

urlpatterns = [
    path("contacts", api.ContactsView.as_view()),
]
