"""The vendor's own Python client, strict in what it reads, against our apps and contacts."""

import pytest
from sinch import SinchClient
from sinch.domains.conversation.exceptions import ConversationException

from projects import keys
from projects.models import ChannelCredential
from tests.factories import make_app, make_credential, make_project
from tests.portal.test_app_credentials import EVERY_PAIR, OBJECTS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def conversation(project, live_server):
    key, secret = keys.issue(project=project)
    client = SinchClient(key_id=key.id, key_secret=secret, project_id=str(project.id))
    client.configuration.auth_origin = live_server.url
    client.configuration.conversation_origin = live_server.url
    return client.conversation


def test_it_manages_apps(conversation):
    bearer = {"claimed_identity": "Acme", "token": "a-secret-token-1234"}
    app = conversation.apps.create(
        channel_credentials={"SMS": bearer},
        display_name="Shop",
        retention_policy={"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 30},
    )

    assert app.retention_policy.ttl_days == 30
    assert [one.id for one in conversation.apps.list().iterator()] == [app.id]
    assert conversation.apps.get(app.id).display_name == "Shop"
    assert (
        conversation.apps.update(app.id, display_name="New", retention_policy=None).retention_policy.ttl_days
        == 180
    )
    assert ChannelCredential.objects.get().values["token"] == "a-secret-token-1234"
    conversation.apps.delete(app.id)
    with pytest.raises(ConversationException, match="NOT_FOUND") as refusal:
        conversation.apps.get(app.id)
    assert refusal.value.response_status_code == 404


def test_it_reads_every_kind_of_credential(conversation, project):
    app = make_app(project, channels=[])
    for number, (channel, key) in enumerate(EVERY_PAIR):
        make_credential(app, channel, key=key, values=OBJECTS[key], ordinal_number=number)

    assert len(conversation.apps.get(app.id, raw_response=True).channel_credentials) == len(EVERY_PAIR)


def test_it_manages_contacts(conversation):
    identities = [{"channel": "SMS", "identity": "+46700000001"}]
    contact = conversation.contacts.create(channel_identities=identities, language="EN", metadata="m")
    for number in range(25):
        conversation.contacts.create(
            channel_identities=[{"channel": "RCS", "identity": f"4670001{number:04d}"}], language="EN"
        )

    assert contact.channel_identities[0].identity == "46700000001"
    assert len(list(conversation.contacts.list(page_size=7).iterator())) == 26
    found = conversation.contacts.list(channel="SMS", identity="+46700000001").iterator()
    assert [one.id for one in found] == [contact.id]
    changed = conversation.contacts.update(contact.id, display_name="Ünï", metadata=None)
    assert (changed.display_name, changed.metadata) == ("Ünï", "")
    conversation.contacts.delete(contact.id)
    with pytest.raises(ConversationException, match="NOT_FOUND"):
        conversation.contacts.get(contact.id)


def test_it_says_what_was_wrong(conversation):
    with pytest.raises(ConversationException, match=r"metadata: .*1024.*INVALID_ARGUMENT"):
        conversation.contacts.create(
            channel_identities=[{"channel": "SMS", "identity": "46700000001"}],
            language="EN",
            metadata="x" * 1025,
        )
