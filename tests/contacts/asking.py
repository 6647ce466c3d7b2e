"""The Contact resource as a client uses it."""

from tests.factories import path

SMS = {"channel": "SMS", "identity": "46700000001"}


def create(client, project, **fields):
    return client.post(path(project, "contacts"), {"channel_identities": [SMS]} | fields, format="json")


def patch(client, contact, body, query=""):
    return client.patch(path(contact.project, f"contacts/{contact.id}{query}"), body, format="json")


def listed(client, project, query=""):
    return client.get(path(project, f"contacts{query}"))


def assert_refused(response, field, says=""):
    assert response.status_code == 400, response.content
    error = response.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    violation = error["details"][0]["fieldViolations"][0]
    assert violation["field"] == field
    assert says in violation["description"]
    assert error["message"].startswith(f"{field}: ")
