"""Privacy requests in the portal: taken in at the contact, decided by compliance, read by members."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from contacts.models import Contact
from projects.models import Role
from retention.models import PrivacyRequest
from tests.factories import make_project, make_user
from tests.retention.privacy.conftest import CANARY
from tests.retention.privacy.test_erasing import ask

State = PrivacyRequest.State


@pytest.fixture
def officer(person, client):
    user = make_user(person.project, Role.COMPLIANCE)
    client.force_login(user)
    return user


def page(name, *arguments):
    return reverse(f"admin:retention_privacyrequest_{name}", args=arguments)


def test_a_request_is_taken_in_at_the_contact_s_page(person, officer, client):
    shown = client.get(reverse("admin:contacts_contact_change", args=[person.pk]))
    assert page("take_in", person.pk) in shown.content.decode()

    client.post(page("take_in", person.pk), {"kind": "ERASURE", "identity_check": "a code"})

    request = PrivacyRequest.objects.get()
    assert (request.contact_id, request.state, request.requested_by) == (person.pk, State.OPEN, officer)


def test_an_empty_check_is_refused_at_its_field(person, officer, client):
    response = client.post(page("take_in", person.pk), {"kind": "ERASURE", "identity_check": ""})

    assert "errorlist" in response.content.decode()
    assert not PrivacyRequest.objects.exists()


def test_approving_erases_and_the_page_shows_the_proof(person, officer, client):
    request = ask(person)

    response = client.post(page("decide", request.pk), {"verb": "approve"}, follow=True)

    assert not Contact.objects.filter(pk=person.pk).exists()
    assert "nothing is left" in response.content.decode()


def test_a_copy_is_fetched_and_that_is_written_down(person, officer, client):
    client.post(page("take_in", person.pk), {"kind": "EXPORT", "identity_check": "passport"})
    request = PrivacyRequest.objects.get()
    client.post(page("decide", request.pk), {"verb": "approve"})

    response = client.get(page("copy", request.pk, "json"))

    assert json.loads(b"".join(response.streaming_content))["contact"]["display_name"] == CANARY
    history = client.get(page("history", request.pk)).content.decode()
    assert "fetched" in history


def test_no_copy_before_it_is_approved(person, officer, client):
    client.post(page("take_in", person.pk), {"kind": "EXPORT", "identity_check": "passport"})

    response = client.get(page("copy", PrivacyRequest.objects.get().pk, "json"))

    assert response.status_code == 302


@pytest.mark.parametrize("role", [Role.VIEWER])
def test_a_viewer_reads_and_decides_nothing(person, client, role):
    client.force_login(make_user(person.project, role))
    request = ask(person)

    assert client.get(page("change", request.pk)).status_code == 200
    assert client.post(page("decide", request.pk), {"verb": "approve"}).status_code == 403
    assert client.get(page("take_in", person.pk)).status_code == 403
    assert Contact.objects.filter(pk=person.pk).exists()


def test_a_stranger_finds_neither_contact_nor_request(person, client):
    client.force_login(make_user(make_project(), Role.ADMIN))
    request = ask(person)

    for path in (page("take_in", person.pk), page("decide", request.pk), page("copy", request.pk, "json")):
        assert client.post(path, {"verb": "approve"}).status_code == 302
    assert Contact.objects.filter(pk=person.pk).exists()
