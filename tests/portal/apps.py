"""The App resource as a client uses it."""

from projects.models import App
from tests.factories import path


def create(client, project, **fields):
    body = {"display_name": "Shop", "channel_credentials": []} | fields
    return client.post(path(project, "apps"), body, format="json")


def patch(client, app_id, body, query=""):
    project = App.objects.get(pk=app_id).project
    return client.patch(path(project, f"apps/{app_id}{query}"), body, format="json")


def show(client, app_id):
    return client.get(path(App.objects.get(pk=app_id).project, f"apps/{app_id}")).json()
