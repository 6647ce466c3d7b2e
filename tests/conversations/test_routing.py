"""Three priorities: the message's order is exhaustive; else the contact's comes first, the app's follows."""

import pytest

from contacts.models import Contact
from contacts.resolving import Identity
from conversations.models import Candidate
from conversations.reaching import routing
from gateway.channels.base import Channel
from tests.factories import make_app, make_contact

SANDBOX, SMS, RCS, MESSENGER = Channel.SANDBOX, Channel.SMS, Channel.RCS, Channel.MESSENGER
NUMBER = "46700000010"


@pytest.fixture
def app(project):
    return make_app(project, channels=[RCS, SMS, SANDBOX])


@pytest.fixture
def contact(project):
    return make_contact(project, (SMS, NUMBER), (SANDBOX, NUMBER), (RCS, NUMBER))


def route(app, contact=None, given=(), own_order=()):
    if contact:
        contact = Contact.objects.get(pk=contact.pk)
    return routing.route(app=app, contact=contact, given=given, own_order=own_order)


def channels(choices):
    return [choice.channel for choice in choices]


def test_without_any_other_order_the_apps_credentials_decide(app, contact):
    choices = route(app, contact)

    assert channels(choices) == [RCS, SMS, SANDBOX]
    assert {choice.level for choice in choices} == {Candidate.Level.APP}


def test_the_contacts_order_comes_first_and_its_other_channels_follow_in_the_apps(app, contact):
    contact.channel_priority = [SANDBOX]
    contact.save()

    choices = route(app, contact)

    assert [(choice.channel, choice.level) for choice in choices] == [
        (SANDBOX, Candidate.Level.CONTACT),
        (RCS, Candidate.Level.APP),
        (SMS, Candidate.Level.APP),
    ]


def test_the_messages_order_is_exhaustive(app, contact):
    contact.channel_priority = [RCS]
    contact.save()

    assert channels(route(app, contact, own_order=[SMS, SANDBOX])) == [SMS, SANDBOX]


def test_the_order_of_the_identities_given_is_exhaustive_too(app, contact):
    given = [Identity(SANDBOX, NUMBER), Identity(SMS, NUMBER)]

    assert channels(route(app, contact, given=given)) == [SANDBOX, SMS]


def test_a_channel_without_a_credential_stands_in_the_trace_and_is_not_tried(project, contact):
    app = make_app(project, channels=[SMS])

    verdicts = {choice.channel: choice.verdict for choice in route(app, contact)}

    assert verdicts[SMS] == Candidate.Verdict.WAITING
    assert verdicts[RCS] == Candidate.Verdict.NO_CREDENTIAL


def test_a_channel_the_contact_is_not_known_on_stands_in_the_trace_and_is_not_tried(app, project):
    contact = make_contact(project, (SMS, NUMBER))

    choices = route(app, contact, own_order=[RCS, SMS])

    assert [choice.verdict for choice in choices] == [
        Candidate.Verdict.NO_IDENTITY,
        Candidate.Verdict.WAITING,
    ]


def test_an_identity_of_another_app_is_not_used(project):
    app = make_app(project, channels=[MESSENGER])
    contact = make_contact(project, (MESSENGER, "page-scoped", make_app(project)))

    (choice,) = route(app, contact, own_order=[MESSENGER])

    assert choice.verdict == Candidate.Verdict.NO_IDENTITY


def test_the_reason_for_no_route_is_the_one_the_developer_can_mend(project, contact):
    app = make_app(project, channels=[])

    reason = routing.no_route_reason(route(app, contact))

    assert reason.code == "CHANNEL_CONFIGURATION_MISSING"
