import pytest

from conversations.reaching.delivery import Sending
from outbox import entries
from outbox.models import Entry
from projects import ids
from projects.models import ChannelCredential
from tests.factories import api_client, make_app, make_message, make_project, make_webhook, path
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def client(project):
    return api_client(project)


def test_a_deleted_app_is_gone_at_once_with_its_secrets(client, project):
    app = make_app(project, callback_secret="override")
    make_webhook(app)
    credential = app.credentials.get()
    entries.put(Sending.name, [(ids.to_uuid(credential.id), ids.to_uuid(ids.ulid()))])
    message = make_message(app)

    answer = client.delete(path(project, f"apps/{app.id}"))

    assert answer.status_code == 200
    assert answer.json() == {}
    url = path(project, f"apps/{app.id}")
    refusals = [
        client.get(url),
        client.patch(url, {}, format="json"),
        client.delete(url),
        client.get(f"{url}/webhooks"),
    ]
    assert [refusal.status_code for refusal in refusals] == [404] * 4
    assert client.get(path(project, "apps")).json() == {"apps": []}
    app.refresh_from_db()
    assert app.deleted_at is not None
    assert app.callback_secret == ""
    assert not ChannelCredential.objects.exists()
    assert not Webhook.objects.exists()
    assert not Entry.objects.exists()
    assert type(message).objects.exists()  # until the next purge
