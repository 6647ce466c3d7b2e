"""The name by which a channel knows a person."""

import pytest

from gateway.channels.base import Channel
from tests.factories import make_app, make_contact, make_credential, make_project, path
from tests.refusals import assert_refused


def ask(api, app, **fields):
    identities = [{"channel": "MESSENGER", "identity": "psid"}]
    body = {
        "app_id": app.id,
        "channel": "MESSENGER",
        "recipient": {"identified_by": {"channel_identities": identities}},
    } | fields
    return api.post(path(app.project, "contacts:getChannelProfile"), body, format="json")


@pytest.fixture
def app(project):
    app = make_app(project, channels=[])
    make_credential(app, Channel.MESSENGER, key="static_token", values={"token": "a-token"})
    return app


def test_the_sandbox_tells_a_name(api, app):
    assert ask(api, app).json() == {"profile_name": "Sandbox psid"}


def test_a_contact_is_asked_about_by_its_identity_in_the_app(api, app, project):
    contact = make_contact(
        project, (Channel.MESSENGER, "other", make_app(project)), (Channel.MESSENGER, "psid", app)
    )

    assert ask(api, app, recipient={"contact_id": contact.id}).json() == {"profile_name": "Sandbox psid"}


@pytest.mark.parametrize("channel", ["MESSENGER", "INSTAGRAM", "VIBER", "LINE"])
def test_four_channels_know_names(api, app, channel):
    if channel != "MESSENGER":
        make_credential(app, Channel(channel))
    identities = [{"channel": channel, "identity": "psid"}]

    answer = ask(api, app, channel=channel, recipient={"identified_by": {"channel_identities": identities}})

    assert answer.json() == {"profile_name": "Sandbox psid"}


@pytest.mark.parametrize("channel", ["SMS", "SANDBOX", "FAX", None, 1])
def test_other_channels_are_refused(api, app, channel):
    assert_refused(ask(api, app, channel=channel), "channel", "must be one of")


def test_what_is_missing_is_said(api, app, project, settings):
    stranger = make_contact(project, "46700000010")
    bare = make_app(project)

    answers = [ask(api, app, recipient={"contact_id": stranger.id}), ask(api, bare)]
    settings.CHANNELS_SANDBOXED = frozenset()
    answers.append(ask(api, app))

    for answer, said in zip(answers, ["identity", "credential", "nothing here speaks"], strict=True):
        error = answer.json()["error"]
        assert (answer.status_code, error["status"]) == (400, "FAILED_PRECONDITION")
        assert said in error["message"]


def test_apps_and_contacts_of_others_do_not_exist(api, app):
    theirs = make_contact(make_project(), "46700000010")

    assert ask(api, app, app_id=make_app().id).status_code == 404
    assert ask(api, app, recipient={"contact_id": theirs.id}).status_code == 404
