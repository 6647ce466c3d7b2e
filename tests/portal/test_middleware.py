"""What browsers are told, and what the API is spared."""

import ipaddress

import pytest
from django.http import HttpResponse
from django.test import Client

from portal.middleware import ProxiesMiddleware


def answer(request):
    return HttpResponse()


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


@pytest.mark.parametrize("path", ["/v1/projects/", "/oauth2/token", "/healthz"])
def test_an_answer_to_a_program_says_how_long_it_is(client, path):
    response = client.get(path)

    assert int(response["Content-Length"]) == len(response.content) > 0


@pytest.mark.parametrize("path", ["/v1/projects/", "/oauth2/token", "/callbacks/sms/", "/healthz", "/readyz"])
def test_a_program_is_not_asked_for_a_form_s_token(path):
    response = Client(enforce_csrf_checks=True).post(path)

    assert response.status_code != 403
    assert b"<html" not in response.content


@pytest.mark.django_db
def test_a_form_of_the_portal_without_its_token_is_refused():
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})

    assert response.status_code == 403


def test_every_answer_names_its_request(client):
    first, second = client.get("/healthz"), client.get("/healthz")

    assert first["X-Request-Id"]
    assert first["X-Request-Id"] != second["X-Request-Id"]


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        ("", "10.0.0.2"),
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),  # what the caller wrote himself is not believed
        ("203.0.113.7, 10.0.0.9", "203.0.113.7"),  # two proxies, both ours
        ("203.0.113.7, 2001:db8::1", "2001:db8::1"),
        ("nonsense", "10.0.0.2"),
    ],
)
def test_a_trusted_proxy_says_who_calls(forwarded, seen, settings, rf):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]
    request = rf.get("/healthz", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR=forwarded)

    ProxiesMiddleware(answer)(request)

    assert request.META["REMOTE_ADDR"] == seen


def test_nobody_else_says_who_calls(rf):
    request = rf.get("/healthz", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR="203.0.113.7")

    ProxiesMiddleware(answer)(request)

    assert request.META["REMOTE_ADDR"] == "10.0.0.2"
