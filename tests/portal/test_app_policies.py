import pytest

from projects.models import App
from retention.models import RetentionPolicy
from tests.factories import api_client, make_project
from tests.portal.apps import create, patch, show
from tests.refusals import assert_refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def client(project):
    return api_client(project)


def test_a_dispatched_message_can_only_expire_by_its_own_age(client, project):
    policy = {"retention_type": "PERSIST_RETENTION_POLICY", "ttl_days": 1}

    refusal = create(client, project, dispatch_retention_policy=policy)

    assert_refused(refusal, "dispatch_retention_policy.retention_type", "only expire by their own age")
    assert not App.objects.exists()


def test_a_policy_is_shown_at_once_and_kept_as_a_version_of_the_key_that_made_it(client, project):
    app_id = create(client, project).json()["id"]

    answer = patch(client, app_id, {"retention_policy": {"ttl_days": 30}})

    assert answer.json()["retention_policy"] == {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 30}
    version = RetentionPolicy.objects.get(app=app_id, scope="MESSAGES")
    assert (version.via, version.ttl_days) == ("API", 30)
    assert version.author_key == project.access_keys.get().id
    assert version.owed.state == "OPEN"


def test_the_same_policy_again_adds_no_version(client, project):
    app_id = create(client, project, retention_policy={"ttl_days": 30}).json()["id"]
    whole = show(client, app_id)

    patch(client, app_id, whole)
    patch(client, app_id, {"retention_policy": {"ttl_days": 30}})

    assert RetentionPolicy.objects.filter(app=app_id).count() == 1


def test_a_policy_is_reset_by_null(client, project):
    app_id = create(client, project, retention_policy={"ttl_days": 30}).json()["id"]

    answer = patch(client, app_id, {"retention_policy": None})

    assert answer.json()["retention_policy"] == {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 180}


@pytest.mark.parametrize(("sent", "shown"), [(30, 30), (0, 180), (9999, 180), (None, 180)])
def test_the_age_of_what_is_kept_for_ever_means_nothing_and_stays(client, project, sent, shown):
    policy = {"retention_type": "PERSIST_RETENTION_POLICY", "ttl_days": sent}

    answer = create(client, project, retention_policy=policy)

    assert answer.json()["retention_policy"] == policy | {"ttl_days": shown}


def test_a_dotted_mask_changes_one_half_of_a_policy(client, project):
    policy = {"retention_type": "CONVERSATION_EXPIRE_POLICY", "ttl_days": 30}
    app_id = create(client, project, retention_policy=policy).json()["id"]

    answer = patch(
        client, app_id, {"retention_policy": {"ttl_days": 60}}, "?update_mask=retention_policy.ttl_days"
    )

    assert answer.json()["retention_policy"] == policy | {"ttl_days": 60}


def test_a_client_may_give_the_justification_with_the_policy(client, project):
    ground = {"category": "CONTRACT", "reference": "§ 7", "text": "The customer's contract demands it. " * 2}

    answer = create(client, project, retention_policy={"ttl_days": 30, "justification": ground})

    assert answer.status_code == 200, answer.content
    version = RetentionPolicy.objects.get(app=answer.json()["id"])
    assert version.owed is None
    assert version.justification.category == "CONTRACT"


@pytest.mark.parametrize(
    ("ground", "field"),
    [
        ({"category": "CONTRACT", "text": "too short"}, "text"),
        ({"category": "WHIM", "text": "x" * 40}, "category"),
        ({"category": 7, "text": "x" * 40}, "category"),
        ({"category": "CONTRACT", "text": "x" * 40, "review_on": "soon"}, "review_on"),
        ({"category": "CONTRACT", "text": "x" * 40, "reference": 7}, "reference"),
        ({"category": "CONTRACT"}, "text"),
        ({}, "category"),
    ],
)
def test_a_wrong_justification_is_refused_with_its_policy(client, project, ground, field):
    refusal = create(client, project, retention_policy={"ttl_days": 30, "justification": ground})

    assert_refused(refusal, f"retention_policy.justification.{field}")
    assert not App.objects.exists()


def test_where_justifications_are_required_a_policy_without_one_is_refused(client, project, settings):
    settings.RETENTION_API_JUSTIFICATION = "required"

    assert_refused(
        create(client, project, retention_policy={"ttl_days": 30}), "retention_policy.justification.text"
    )
    assert create(client, project, retention_policy={"ttl_days": 180}).status_code == 200
