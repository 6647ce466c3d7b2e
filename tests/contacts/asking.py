"""The Contact resource as a client uses it."""

from tests.factories import path

SMS = {"channel": "SMS", "identity": "46700000001"}


def create(client, project, **fields):
    return client.post(path(project, "contacts"), {"channel_identities": [SMS]} | fields, format="json")


def patch(client, contact, body, query=""):
    return client.patch(path(contact.project, f"contacts/{contact.id}{query}"), body, format="json")


def listed(client, project, query=""):
    return client.get(path(project, f"contacts{query}"))
