import logging

import psycopg
import pytest
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, SuspiciousOperation, ValidationError
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework.exceptions import APIException, Throttled
from rest_framework.exceptions import ValidationError as APIValidationError

from portal import errors
from projects.requests.scoping import ProjectView
from projects.requests.wire import FailedPrecondition
from tests.factories import api_client, make_app, make_project, make_webhook, path
from webhooks.models import Webhook


def answered(error):
    """What a client of a view reads that raises this."""
    return errors.envelope(error, {"view": ProjectView()})


def told(error):
    return answered(error).data["error"]


def test_a_violation_names_its_field_in_message_and_details():
    assert answered(APIValidationError({"display_name": ["must not be empty"]})).data == {
        "error": {
            "code": 400,
            "message": "display_name: must not be empty",
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{"field": "display_name", "description": "must not be empty"}],
                }
            ],
        }
    }


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        ({"a": {"b": {"c": ["wrong"]}}}, "a.b.c"),
        ({"credentials": [{}, {"bearer": {"token": ["wrong"]}}]}, "credentials[1].bearer.token"),
        ({"triggers": {0: ["wrong"], 2: ["wrong"]}}, "triggers[0]"),
        ({"channel_credentials[0].token": ["wrong"]}, "channel_credentials[0].token"),
        ({"a": {"non_field_errors": ["wrong"]}}, "a"),
        ({"non_field_errors": ["wrong"]}, ""),
        (["wrong"], ""),
        ("wrong", ""),
    ],
)  # fmt: skip
def test_a_path_is_written_flat(detail, field):
    violations = told(APIValidationError(detail))["details"][0]["fieldViolations"]

    assert violations[0] == {"field": field, "description": "wrong"}


def test_several_violations_are_all_named():
    refusal = told(APIValidationError({"a": ["first", "second"], "b": ["third"]}))

    assert refusal["message"] == "a: first; a: second; b: third"
    assert len(refusal["details"][0]["fieldViolations"]) == 3


def test_a_models_own_error_reads_like_any_other():
    assert told(ValidationError({"metadata": "too long"}))["message"] == "metadata: too long"
    assert told(ValidationError({"__all__": ["no"]}))["message"] == "no"
    assert told(ValidationError("TTL days must be 1 to 3650."))["message"] == "TTL days must be 1 to 3650."


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (FailedPrecondition("The app dispatches."), 400, "FAILED_PRECONDITION"),
        (SuspiciousOperation("x"), 400, "INVALID_ARGUMENT"),
        (PermissionDenied(), 403, "PERMISSION_DENIED"),
        (Http404(), 404, "NOT_FOUND"),
        (Throttled(), 429, "RESOURCE_EXHAUSTED"),
        (OperationalError("the connection is closed"), 503, "UNAVAILABLE"),
        (InterfaceError("connection already closed"), 503, "UNAVAILABLE"),
    ],
)
def test_every_refusal_has_its_code_and_status(error, code, status):
    answer = answered(error)

    assert answer.status_code == code
    assert answer.data["error"]["code"] == code
    assert answer.data["error"]["status"] == status
    assert answer.data["error"]["message"]
    assert answer.data["error"]["details"] == []


def test_a_status_outside_the_contract_still_has_a_name():
    refusal = APIException("A teapot.")
    refusal.status_code = 418

    assert told(refusal)["code"] == 418
    assert told(refusal)["status"] == "INVALID_ARGUMENT"


def test_a_throttled_client_is_told_when_to_come_back():
    assert answered(Throttled(wait=2.4))["retry-after"] == "3"
    assert answered(Throttled(wait=0.01))["retry-after"] == "1"
    assert answered(OperationalError())["retry-after"] == "1"


@pytest.mark.parametrize(
    "error", [RuntimeError("the secret is 1234"), ObjectDoesNotExist("secret"), KeyError("secret")]
)
def test_our_own_mistake_is_logged_and_not_told(error, caplog):
    with caplog.at_level(logging.ERROR):
        answer = answered(error)

    assert answer.status_code == 500
    assert answer.data == {
        "error": {"code": 500, "message": "Internal error.", "status": "INTERNAL", "details": []}
    }
    assert caplog.records[-1].exc_info[1] is error
    assert "ProjectView failed" in caplog.text


@pytest.mark.django_db
def test_a_race_that_a_constraint_decides_is_told_in_the_constraints_words():
    app = make_app()
    make_webhook(app)

    with pytest.raises(IntegrityError) as lost, transaction.atomic():
        Webhook.objects.create(project_id=app.project_id, app=app, target="https://hooks.example.com/")

    assert told(lost.value)["status"] == "INVALID_ARGUMENT"
    assert told(lost.value)["message"] == "Another webhook of this app already has this target."


@pytest.mark.django_db
def test_what_was_deleted_while_a_request_named_it_is_not_found():
    app = make_app()

    make_webhook(app)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhooks_webhook SET app_id = gen_random_uuid()")

    with pytest.raises(IntegrityError) as lost:
        connection.check_constraints()

    assert isinstance(lost.value.__cause__, psycopg.errors.ForeignKeyViolation)
    assert told(lost.value)["status"] == "NOT_FOUND"


@pytest.mark.django_db
@pytest.mark.parametrize("rest", ["nothing", "apps/", "contacts/x/y", "", "messages:fly"])
def test_an_unknown_path_answers_the_envelope(rest):
    project = make_project()

    answer = api_client(project).get(path(project, rest))

    assert answer.status_code == 404
    assert answer["content-type"] == "application/json"
    assert answer.json()["error"] == {
        "code": 404, "message": "There is nothing at this path.", "status": "NOT_FOUND", "details": [],
    }  # fmt: skip


def test_an_unknown_path_outside_the_projects_answers_the_envelope_too():
    for unknown in ("/v1/", "/v2/projects", "/oauth2/token/", "/nowhere"):
        answer = Client().get(unknown)
        assert answer.status_code == 404
        assert answer.json()["error"]["status"] == "NOT_FOUND"


def test_what_django_itself_refuses_answers_the_envelope():
    request = RequestFactory().get("/v1/projects")

    for answer, code in (
        (errors.bad_request(request, SuspiciousOperation("x")), 400),
        (errors.permission_denied(request, PermissionDenied()), 403),
        (errors.server_error(request), 500),
    ):
        assert answer.status_code == code
        assert answer["content-type"] == "application/json"
        assert f'"code":{code}' in answer.content.decode()


def test_the_portals_own_pages_stay_pages():
    request = RequestFactory().get("/admin/x")

    for answer in (
        errors.bad_request(request, SuspiciousOperation("x")),
        errors.permission_denied(request, PermissionDenied()),
        errors.page_not_found(request, Http404()),
        errors.server_error(request),
    ):
        assert answer["content-type"].startswith("text/html")


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "kind"), [("/metrics", "application/json"), ("/admin/", "text/html")])
def test_where_the_database_is_out_of_reach_pages_say_so_too(monkeypatch, settings, address, kind):
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "somebody"
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"host": "/nowhere"})
    monkeypatch.setitem(connection.settings_dict, "HOST", "")

    answer = client.get(address)

    assert answer.status_code == 503
    assert answer["content-type"].startswith(kind)
    assert answer["retry-after"] == "1"


def test_our_own_mistake_on_a_page_is_told_without_its_cause():
    request = RequestFactory().get("/admin/x")

    try:
        raise RuntimeError("a secret")
    except RuntimeError:
        page = errors.server_error(request)

    assert page.status_code == 500
    assert "our mistake" in page.content.decode()
    assert "a secret" not in page.content.decode()
