import base64
import threading
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.utils import timezone
from rest_framework.test import APIClient

from projects import keys
from projects.models import AccessKey
from tests.factories import api_client, make_project, path

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def key(project):
    """The id and the secret of a live key."""
    row, secret = keys.issue(project=project)
    return row.pk, secret


def get(project, authorization=None):
    client = APIClient()
    if authorization is not None:
        client.credentials(HTTP_AUTHORIZATION=authorization)
    return client.get(path(project, "contacts"))


def basic(key_id, secret):
    return "Basic " + base64.b64encode(f"{key_id}:{secret}".encode()).decode()


def fetch_token(authorization, body="grant_type=client_credentials"):
    client = APIClient()
    if authorization:
        client.credentials(HTTP_AUTHORIZATION=authorization)
    return client.post("/oauth2/token", body, content_type="application/x-www-form-urlencoded")


def assert_unauthenticated(response):
    assert response.status_code == 401
    assert response.json()["error"]["status"] == "UNAUTHENTICATED"
    assert response.json()["error"]["code"] == 401
    assert response["www-authenticate"]
    assert "expired" not in response["www-authenticate"]


def test_a_key_opens_its_project_by_basic(project, key):
    assert get(project, basic(*key)).status_code == 200


def test_a_key_becomes_a_token_that_opens_its_project(project, key):
    answer = fetch_token(basic(*key))

    assert answer.status_code == 200
    assert answer["cache-control"] == "no-store"
    token = answer.json()
    assert token == {
        "access_token": token["access_token"], "expires_in": 3599, "scope": "", "token_type": "bearer",
    }  # fmt: skip
    assert get(project, f"Bearer {token['access_token']}").status_code == 200
    assert get(project, f"bearer {token['access_token']}").status_code == 200


def test_the_project_in_the_path_may_be_written_in_capitals(project, key):
    client = api_client(project)

    assert client.get(f"/v1/projects/{str(project.id).upper()}/contacts").status_code == 200


@pytest.mark.parametrize("body", ["grant_type=password", "grant_type=client_credentials2"])
def test_another_grant_type_gives_no_token(key, body):
    answer = fetch_token(basic(*key), body)

    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"
    assert answer.json()["error_description"]


@pytest.mark.parametrize("body", ["", "grant_type=", "scope=all", "{}"])
def test_a_form_without_a_grant_type_gives_no_token(key, body):
    answer = fetch_token(basic(*key), body)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_a_wrong_key_gives_no_token(project, key):
    key_id, secret = key
    not_text = "Basic " + base64.b64encode(b"\xff\xfe").decode()
    malformed = [None, "Basic", "Basic ???", "Basic ünï", "Bearer x", not_text]
    strange = [(key_id, ""), ("", secret), (key_id, secret + "x"), (key_id.lower(), secret), ("a\0b", "c")]
    wrong = malformed + [basic(*pair) for pair in strange]

    answers = [fetch_token(authorization) for authorization in wrong]

    assert [answer.status_code for answer in answers] == [401] * len(wrong)
    for answer in answers:
        assert answer.json()["error"] == "invalid_client"
        assert answer.json()["error_description"]
        assert "expired" not in answer["www-authenticate"]


def test_a_token_request_over_1_mb_is_refused(key):
    answer = fetch_token(basic(*key), "grant_type=client_credentials&x=" + "y" * 1_048_576)

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == 413


def test_a_token_request_with_thousands_of_fields_is_refused(key):
    answer = fetch_token(basic(*key), "&".join(f"f{number}=" for number in range(2000)))

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_the_token_endpoint_takes_posts_alone(key):
    answer = APIClient().get("/oauth2/token")

    assert answer.status_code == 501
    assert answer.json()["error"]["status"] == "UNIMPLEMENTED"


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Bearer a:b:c", "Bearer ünï", "Basic", "Basic ???",
     "Basic ünï", "Digest x", "Bearer \x00"],
)  # fmt: skip
def test_who_shows_no_good_key_is_not_let_in(project, authorization):
    assert_unauthenticated(get(project, authorization))


def test_a_token_that_somebody_made_up_is_not_let_in(project, key):
    token = keys.token(keys.identify(*key))

    assert_unauthenticated(get(project, f"Bearer {token}x"))
    assert_unauthenticated(get(project, f"Bearer x{token}"))
    assert_unauthenticated(get(project, f"Bearer {signing.dumps(key[0], salt='another')}"))


def test_an_expired_token_is_challenged_so_that_clients_renew_it(project, key):
    token = keys.token(keys.identify(*key))

    with time_machine.travel(timezone.now() + timedelta(seconds=3598), tick=False):
        assert get(project, f"Bearer {token}").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=3601), tick=False):
        refusal = get(project, f"Bearer {token}")

    assert refusal.status_code == 401
    assert refusal.json()["error"]["status"] == "UNAUTHENTICATED"
    assert refusal["www-authenticate"] == 'Bearer error="invalid_token", error_description="token expired"'
    assert "www-authenticate" in list(refusal.headers)  # spelt so: one client looks letter by letter


def test_a_revoked_key_opens_nothing(project, key, now, django_capture_on_commit_callbacks):
    token = keys.token(keys.identify(*key))
    with django_capture_on_commit_callbacks(execute=True):
        keys.revoke(AccessKey.objects.get(pk=key[0]), now=now)

    assert_unauthenticated(get(project, basic(*key)))
    assert_unauthenticated(get(project, f"Bearer {token}"))
    assert fetch_token(basic(*key)).status_code == 401


def test_a_key_of_another_project_is_forbidden_whether_that_project_exists_or_not(project):
    stranger = api_client(make_project())

    refusals = [
        stranger.get(path(project, "contacts")),
        stranger.get("/v1/projects/6f1c8e8e-0000-4000-8000-000000000001/contacts"),
        stranger.get("/v1/projects/no-uuid/contacts"),
        stranger.post(path(project, "contacts"), {}, format="json"),
        stranger.get(path(project, "apps")),
    ]

    assert [refusal.status_code for refusal in refusals] == [403] * 5
    assert {refusal.json()["error"]["status"] for refusal in refusals} == {"PERMISSION_DENIED"}


def test_a_warm_key_costs_no_query(project, key, django_assert_num_queries):
    token = keys.token(keys.identify(*key))

    with django_assert_num_queries(0):
        assert keys.recognise(token).project_id == str(project.id)
        assert keys.identify(*key).key_id == key[0]


def test_many_threads_may_ask_for_a_warm_key(project, key):
    token = keys.token(keys.identify(*key))
    seen = []

    threads = [threading.Thread(target=lambda: seen.append(keys.recognise(token).key_id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [key[0]] * 8
