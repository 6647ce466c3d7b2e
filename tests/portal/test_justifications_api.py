"""Giving by API the ground that is owed, and reading what was given."""

import pytest

from projects.models import Mail
from retention.models import Justification, OwedItem
from tests.factories import api_client, make_project, path
from tests.portal.apps import create, patch
from tests.refusals import assert_refused

pytestmark = pytest.mark.django_db
GROUND = {"category": "CONTRACT", "reference": "§ 7", "text": "The customer's contract demands it. " * 2,
          "review_on": "2031-01-01"}  # fmt: skip


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def client(project):
    return api_client(project)


@pytest.fixture
def app_id(client, project):
    return create(client, project, retention_policy={"ttl_days": 365}).json()["id"]


@pytest.fixture
def address(project, app_id):
    return path(project, f"apps/{app_id}/retention-justifications")


def test_a_debt_is_settled(client, app_id, address):
    answer = client.post(address, GROUND, format="json")

    assert answer.status_code == 200, answer.content
    given = answer.json()
    assert given | GROUND == given | {"text": GROUND["text"]}
    assert (given["retention_type"], given["ttl_days"], given["given_via"]) == (
        "MESSAGE_EXPIRE_POLICY",
        365,
        "API",
    )
    assert OwedItem.objects.get(app=app_id).state == OwedItem.State.SUPPLIED
    assert Justification.objects.get().given_by_key is not None


def test_what_was_given_and_what_is_owed_are_listed(client, app_id, address):
    owed = client.get(address).json()
    client.post(address, GROUND, format="json")
    patch(client, app_id, {"dispatch_retention_policy": {"ttl_days": 3}})

    listed = client.get(address).json()

    assert owed["justifications"] == []
    assert [(item["scope"], item["ttl_days"], item["state"]) for item in owed["owed"]] == [
        ("MESSAGES", 365, "OPEN")
    ]
    assert [given["category"] for given in listed["justifications"]] == ["CONTRACT"]
    assert [(item["scope"], item["ttl_days"]) for item in listed["owed"]] == [("DISPATCH", 3)]


def test_the_debt_of_dispatched_messages_is_settled_by_its_scope(client, app_id, address):
    patch(client, app_id, {"dispatch_retention_policy": {"ttl_days": 3}})

    answer = client.post(address, GROUND | {"scope": "DISPATCH"}, format="json")

    assert answer.json()["scope"] == "DISPATCH"
    assert OwedItem.objects.get(scope="MESSAGES").state == OwedItem.State.OPEN


def test_where_nothing_is_owed_nothing_is_taken(client, address):
    client.post(address, GROUND, format="json")

    again = client.post(address, GROUND, format="json")

    assert again.status_code == 400
    assert again.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert Justification.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"text": "too short"}, "text"),
        ({"text": None}, "text"),
        ({"category": "WHIM"}, "category"),
        ({"category": "LEGAL_OBLIGATION", "reference": ""}, "reference"),
        ({"review_on": "soon"}, "review_on"),
        ({"review_on": "2001-01-01"}, "review_on"),
        ({"scope": "ALL"}, "scope"),
    ],
)
def test_a_wrong_ground_is_refused_at_its_field_and_the_debt_stays(client, address, changed, field):
    assert_refused(client.post(address, GROUND | changed, format="json"), field)
    assert OwedItem.objects.get().state == OwedItem.State.OPEN


def test_the_account_manager_is_told_of_a_debt_and_of_no_paid_change(client, project, app_id):
    told = Mail.objects.count()

    patch(client, app_id, {"retention_policy": {"ttl_days": 400, "justification": GROUND}})

    assert (told, Mail.objects.count()) == (1, 1)
