"""A copy of an event, sent to another URL by hand from the page of its delivery."""

from __future__ import annotations

import pytest

from gateway import signing
from projects.models import Role
from tests import factories
from tests.portal.pages import login
from tests.portal.webhooks.deliveries import SECRET, make_event, page, read, try_
from webhooks.models import Attempt
from webhooks.tending import health

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(app):
    return login(factories.make_user(app.project, Role.ADMIN))


@pytest.fixture
def event(app, webhook):
    event = make_event(app)
    try_(webhook, event)
    return event


def test_a_copy_goes_to_the_url_that_was_typed_and_is_kept(admin, webhook, event, httpserver):
    httpserver.expect_request("/elsewhere").respond_with_data("no, thanks", status=418)
    place, url = page(webhook, "delivery", event.pk), httpserver.url_for("/elsewhere")

    answer = admin.post(place, {"url": url})

    assert answer.status_code == 302
    ((request, _),) = httpserver.log
    assert (request.path, request.data) == ("/elsewhere", bytes(event.body))
    assert request.headers["webhook-id"] == event.pk
    assert signing.is_valid(request.headers, request.data, SECRET)
    assert signing.is_standard_valid(request.headers, request.data, SECRET)
    copy = Attempt.objects.get(webhook=None)
    assert (copy.callback_url, copy.status_code, copy.result) == (url, 418, "GIVEN_UP")
    shown = read(admin, place)
    assert f'Copy to <span class="mono">{url}</span>' in shown
    assert "no, thanks" in shown


def test_a_copy_counts_for_nothing(admin, webhook, event, httpserver):
    httpserver.expect_request("/elsewhere").respond_with_data("", status=500)
    before = health.of([webhook])

    admin.post(page(webhook, "delivery", event.pk), {"url": httpserver.url_for("/elsewhere")})

    assert health.of([webhook]) == before


def test_a_copy_to_a_place_that_may_not_be_called_is_refused_at_its_field(admin, webhook, event, httpserver):
    shown = admin.post(page(webhook, "delivery", event.pk), {"url": "https://10.0.0.1/hook"}).content.decode()

    assert 'value="https://10.0.0.1/hook"' in shown
    assert 'class="errorlist"' in shown
    assert not Attempt.objects.filter(webhook=None).exists()


def test_a_copy_takes_an_administrator(client, webhook, event, httpserver):
    place = page(webhook, "delivery", event.pk)

    answer = client.post(place, {"url": httpserver.url_for("/elsewhere")})

    assert answer.status_code == 403
    assert "Send a copy" not in read(client, place)
    assert not httpserver.log
