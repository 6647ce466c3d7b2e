"""Numbers that several contacts share, as a client looks for them."""

import pytest

from gateway.channels.base import Channel
from tests.factories import make_contact, make_project, path

pytestmark = pytest.mark.django_db

NUMBER = "46700000001"


def conflicts(client, project, query=""):
    return client.get(path(project, f"contacts:identityConflicts{query}")).json()


def make_pair(project, number=NUMBER, channels=(Channel.SMS, Channel.SMS)):
    return [make_contact(project, (channel, number)).id for channel in channels]


def test_a_number_of_several_contacts_is_told_with_its_channels_and_contacts(client, project):
    ids = make_pair(project, channels=(Channel.SMS, Channel.RCS, Channel.SMS))

    assert conflicts(client, project) == {
        "conflicts": [{"identity": NUMBER, "channels": ["RCS", "SMS"], "contact_ids": sorted(ids)}],
        "next_page_token": "",
    }


def test_a_contact_does_not_conflict_with_itself_nor_on_other_channels_nor_with_strangers(client, project):
    make_contact(project, (Channel.SMS, NUMBER), (Channel.MMS, NUMBER), (Channel.WHATSAPP, NUMBER))
    make_contact(project, (Channel.WHATSAPP, NUMBER))
    make_contact(make_project(), (Channel.SMS, NUMBER))

    assert conflicts(client, project)["conflicts"] == []


def test_a_page_has_at_most_20_numbers(client, project):
    numbers = [f"467000000{number:02}" for number in range(21)]
    for number in numbers:
        make_pair(project, number)

    first = conflicts(client, project, "?page_size=21")
    second = conflicts(client, project, f"?page_token={first['next_page_token']}")

    assert [len(page["conflicts"]) for page in (first, second)] == [20, 1]
    assert [one["identity"] for page in (first, second) for one in page["conflicts"]] == numbers
    assert len(conflicts(client, project, "?page_size=1")["conflicts"]) == 1
    assert client.get(path(project, "contacts:identityConflicts?page_size=0")).status_code == 400


def test_a_page_costs_two_queries_however_long(client, project, django_assert_num_queries):
    make_pair(project)
    conflicts(client, project)
    for number in range(10, 20):
        make_pair(project, f"467000000{number}")

    with django_assert_num_queries(2):
        conflicts(client, project)
