"""What browsers are told, and what the API is spared."""

import pytest
from django.test import Client


@pytest.mark.django_db
def test_pages_load_from_here_alone_and_nothing_inline(client):
    policy = client.get("/admin/login/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/v1/projects/", "/v2/", "/oauth2/token", "/callbacks/sms/"])
def test_the_apis_answers_may_load_nothing_and_set_no_cookie(client, path):
    response = client.get(path)

    assert response["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert not response.cookies


@pytest.mark.django_db
def test_a_form_of_the_portal_without_its_token_is_refused():
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})

    assert response.status_code == 403


def test_every_answer_names_its_request(client):
    first, second = client.get("/healthz"), client.get("/healthz")

    assert first["X-Request-Id"]
    assert first["X-Request-Id"] != second["X-Request-Id"]
