"""The people's entry in the app registry."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """Contacts, channel identities and consents."""

    name = "contacts"
    verbose_name = "Contacts"
