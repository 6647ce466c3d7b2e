import pytest

from gateway.channels.base import Channel
from tests.contacts.asking import listed
from tests.factories import make_app, make_contact, make_project
from tests.refusals import assert_refused

pytestmark = pytest.mark.django_db


def test_a_list_shows_every_contact_in_pages_of_10_at_most_20(client, project):
    contacts = sorted(make_contact(project, f"4670000{number:04d}").id for number in range(25))
    make_contact(make_project(), "46700000010")

    first = listed(client, project).json()
    second = listed(client, project, f"?page_size=1000&page_token={first['next_page_token']}").json()

    assert [contact["id"] for contact in first["contacts"]] == contacts[:10]
    assert [contact["id"] for contact in second["contacts"]] == contacts[10:]
    assert second["next_page_token"] == ""
    assert len(listed(client, project, "?page_size=21").json()["contacts"]) == 20


def test_a_list_costs_as_many_queries_for_20_contacts_as_for_one(client, project, django_assert_num_queries):
    make_contact(project, "46700000010")
    listed(client, project)
    with django_assert_num_queries(2):
        listed(client, project, "?page_size=20")

    for number in range(19):
        make_contact(project, f"4670001{number:04d}", f"4670002{number:04d}")

    with django_assert_num_queries(2):
        assert len(listed(client, project, "?page_size=20").json()["contacts"]) == 20


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?page_size=0", "page_size"),
        ("?page_size=x", "page_size"),
        ("?page_token=x", "page_token"),
        ("?channel=SMS", "identity"),
        ("?identity=46700000001", "channel"),
        ("?channel=FAX&identity=1", "channel"),
        ("?channel=SMS&identity=x", "identity"),
    ],
)
def test_a_list_that_is_asked_for_wrongly_is_refused(client, project, query, field):
    assert_refused(listed(client, project, query), field)


@pytest.mark.parametrize("rest", ["channel=SMS", "identity=1", "channel=SMS&identity=46700000001"])
def test_a_list_is_filtered_in_one_way_or_the_other(client, project, rest):
    refusal = listed(client, project, f"?external_id=crm-7&{rest}")

    assert refusal.status_code == 400
    assert "not by both" in refusal.json()["error"]["message"]


def test_a_list_by_external_id(client, project):
    mine = make_contact(project, "46700000010", external_id="crm-7")
    make_contact(project, "46700000011", external_id="crm-70")
    make_contact(make_project(), "46700000010", external_id="crm-7")

    assert [
        contact["id"] for contact in listed(client, project, "?external_id=crm-7").json()["contacts"]
    ] == [mine.id]
    assert listed(client, project, "?external_id=crm").json()["contacts"] == []


@pytest.mark.parametrize("written", ["46700000001", "%2B46700000001", "+46700000001", "%2046700000001%20"])
def test_a_list_by_identity_takes_a_plus_in_every_spelling(client, project, written):
    mine = make_contact(project, (Channel.SMS, "46700000001"))
    make_contact(project, (Channel.MMS, "46700000001"))
    make_contact(make_project(), (Channel.SMS, "46700000001"))

    found = listed(client, project, f"?channel=SMS&identity={written}").json()["contacts"]

    assert [contact["id"] for contact in found] == [mine.id]


def test_a_contact_known_in_two_apps_is_listed_once(client, project):
    apps = make_app(project), make_app(project)
    mine = make_contact(project, *((Channel.MESSENGER, "psid", app) for app in apps))

    found = listed(client, project, "?channel=MESSENGER&identity=psid").json()["contacts"]

    assert [contact["id"] for contact in found] == [mine.id]


def test_empty_filters_filter_nothing(client, project):
    make_contact(project, "46700000010")

    query = "?external_id=&channel=&identity=&page_token=&page_size="
    assert len(listed(client, project, query).json()["contacts"]) == 1
