"""The contacts' addresses, below one project; one contact's own is a room higher, where it can be deleted."""

from django.urls import path

from contacts import api, consent_api, settings_api

urlpatterns = [
    path("contacts:identityConflicts", api.IdentityConflictsView.as_view()),
    path("contacts", api.ContactsView.as_view()),
    path("apps/<app_id>/consents/identities/<path:identity>", consent_api.ConsentRecordsView.as_view()),
    path("apps/<app_id>/consents/<list_type>", consent_api.ConsentsView.as_view()),
    path("settings", settings_api.SettingsView.as_view()),
]
