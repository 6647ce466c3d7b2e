"""Who opted out, as a client reads it."""

from datetime import timedelta

import pytest

from contacts import consents
from contacts.models import ConsentList, ConsentRecord
from gateway.channels.base import Channel
from tests.factories import NOW, make_app, path

pytestmark = pytest.mark.django_db

MO = ConsentRecord.Origin.ORIGIN_MO


def opt_out(app, number="46700000001", channel=Channel.SMS, lists=(ConsentList.OPT_OUT_ALL,), now=NOW):
    consents.opt_out(
        app=app, channel=channel, identity=number, contact_id="", origin=MO, lists=lists, now=now
    )


def opt_in(app, number="46700000001", channel=Channel.SMS, now=NOW):
    consents.opt_in(app=app, channel=channel, identity=number, contact_id="", origin=MO, now=now)


def listed(client, app, rest):
    return client.get(path(app.project, f"apps/{app.id}/consents/{rest}"))


def test_a_list_has_each_identity_once_whatever_its_channels(client, app):
    opt_out(app)
    opt_out(app, channel=Channel.MMS)
    opt_out(app, "46700000002", lists=[ConsentList.OPT_OUT_MARKETING])
    opt_out(make_app(app.project), "46700000003")

    assert listed(client, app, "OPT_OUT_ALL").json() == {
        "identities": [{"identity": "46700000001"}],
        "next_page_token": "",
    }
    assert listed(client, app, "OPT_OUT_MARKETING").json()["identities"] == [{"identity": "46700000002"}]
    assert listed(client, app, "OPT_OUT_NOTIFICATION").json()["identities"] == []


@pytest.mark.parametrize(("asked", "given"), [("", 10), ("?page_size=50", 50), ("?page_size=51", 50)])
def test_a_page_has_10_identities_and_at_most_50(client, app, asked, given):
    for number in range(51):
        opt_out(app, f"467000000{number:02}")

    page = listed(client, app, f"OPT_OUT_ALL{asked}").json()

    assert len(page["identities"]) == given
    token = page["next_page_token"]
    rest = listed(client, app, f"OPT_OUT_ALL?page_size=50&page_token={token}").json()
    numbers = [one["identity"] for one in page["identities"] + rest["identities"]]
    assert numbers == [f"467000000{number:02}" for number in range(51)]


def test_a_list_costs_two_queries_however_long(client, app, django_assert_num_queries):
    for number in range(10):
        opt_out(app, f"467000000{number:02}")
    listed(client, app, "OPT_OUT_ALL")

    with django_assert_num_queries(2):  # the app, and the list
        listed(client, app, "OPT_OUT_ALL")
    with django_assert_num_queries(2):
        listed(client, app, "identities/46700000001")


def test_an_unknown_list_is_refused(client, app):
    answer = listed(client, app, "OPT_OUT_CATS")

    assert answer.status_code == 400
    assert "OPT_OUT_MARKETING" in answer.json()["error"]["message"]


@pytest.mark.parametrize("written", ["46700000001", "+46700000001", "%2B46700000001", "%2046700000001"])
def test_the_records_of_an_identity_tell_every_change_in_its_order(client, app, written):
    opt_out(app, now=NOW)
    opt_in(app, now=NOW + timedelta(seconds=1))
    opt_out(app, "46700000002")

    answer = listed(client, app, f"identities/{written}").json()

    record = {
        "origin": "ORIGIN_MO",
        "operation": "OPERATION_INSERT",
        "list_type": "OPT_OUT_ALL",
        "project_id": str(app.project_id),
        "app_id": app.id,
        "datetime": "2026-06-01T12:00:00Z",
    }
    assert answer == {
        "identity": {"identity": "46700000001"},
        "audit_records": [
            record,
            record | {"operation": "OPERATION_DELETE", "datetime": "2026-06-01T12:00:01Z"},
        ],
    }


def test_an_identity_that_never_changed_a_list_has_no_records(client, app):
    assert listed(client, app, "identities/46700000009").json()["audit_records"] == []
