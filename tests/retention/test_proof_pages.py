"""Holds and the ledger in the portal: placed, released, read, verified, looked up."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from conversations.models import Message
from projects.models import Role
from retention import holding, purging
from retention.models import HoldScope, LegalHold, PrivacyRequest, Purge, PurgeBatch
from retention.privacy import erasing, requests
from tests.factories import (
    NOW,
    make_app,
    make_contact,
    make_conversation,
    make_message,
    make_project,
    make_user,
)

LONG_AGO = timedelta(days=400)


@pytest.fixture
def officer(app, client):
    user = make_user(app.project, Role.COMPLIANCE)
    client.force_login(user)
    return user


@pytest.fixture
def purged(app):
    """A message that went, and its run."""
    message = make_message(app, accept_time=NOW - LONG_AGO)
    purging.run(now=NOW, override="a test's clock")
    return message


def page(model, name, *arguments):
    return reverse(f"admin:retention_{model}_{name}", args=arguments)


def run_page(name):
    return page("purge", name, Purge.objects.get(batches__isnull=False).pk)


def test_a_hold_is_placed_and_keeps_what_is_due(app, officer, client):
    conversation = make_conversation(app)
    message = make_message(conversation=conversation, accept_time=NOW - LONG_AGO)

    client.post(
        page("legalhold", "add"),
        {"project": app.project_id, "scope": "CONVERSATION", "conversation_id": conversation.pk.lower(), "matter": "Doe v. Roe"},
    )  # fmt: skip
    purging.run(now=NOW, override="a test's clock")

    assert LegalHold.objects.get().placed_by == officer
    assert Message.objects.filter(pk=message.pk).exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scope": "APP"}, "Say which one."),
        ({"scope": "CONTACT", "contact_id": "01KVNTZ0000000000000000000"}, "no such contact"),
        ({"scope": "PROJECT", "matter": ""}, "This field is required."),
        ({"scope": "PROJECT", "accept_from": "2026-02-01T00:00", "accept_until": "2026-01-01T00:00"}, "must be after"),
    ],
)  # fmt: skip
def test_a_hold_that_makes_no_sense_is_refused_where_it_was_written(app, officer, client, given, said):
    response = client.post(
        page("legalhold", "add"), {"project": app.project_id, "matter": "Doe v. Roe"} | given
    )

    assert said in response.content.decode()
    assert "errorlist" in response.content.decode()
    assert not LegalHold.objects.exists()


def test_a_hold_is_released_with_a_reason(app, officer, client):
    hold = holding.place(project=app.project, scope=HoldScope.PROJECT, matter="Doe v. Roe", now=NOW)

    client.post(page("legalhold", "release", hold.pk), {"text": " "})
    assert LegalHold.objects.active().exists()
    client.post(page("legalhold", "release", hold.pk), {"text": "settled out of court"})

    assert not LegalHold.objects.active().exists()
    assert "settled out of court" in client.get(page("legalhold", "change", hold.pk)).content.decode()


def test_a_viewer_reads_holds_and_places_none(app, client):
    client.force_login(make_user(app.project, Role.VIEWER))
    hold = holding.place(project=app.project, scope=HoldScope.PROJECT, matter="Doe v. Roe", now=NOW)

    assert client.get(page("legalhold", "change", hold.pk)).status_code == 200
    assert client.get(page("legalhold", "add")).status_code == 403
    assert client.post(page("legalhold", "release", hold.pk), {"text": "no"}).status_code == 403


def test_the_ledger_shows_each_run_and_its_rows(app, purged, officer, client):
    listed = client.get(page("purge", "changelist")).content.decode()
    shown = client.get(run_page("change")).content.decode()

    assert app.display_name in listed
    assert bytes(PurgeBatch.objects.get().digest).hex()[:16] in shown


def test_the_certificate_is_handed_out_signed_and_for_paper(app, purged, officer, client):
    signed = json.loads(client.get(run_page("certificate")).content)
    printed = client.get(run_page("printed")).content.decode()

    assert signed["counts"]["messages"] == 1
    assert signed["signed"]["algorithm"] == "Ed25519"
    assert signed["rows"][0]["hash"] in printed


def test_the_chain_is_verified_at_a_click(app, purged, officer, client):
    response = client.post(run_page("verify"), follow=True)

    assert "chain is whole: 1 row" in response.content.decode()


def test_a_look_up_says_which_run_took_a_message(app, purged, officer, client):
    present = make_message(app)

    def said(id_):
        return client.get(page("purge", "look_up"), {"id": id_}).content.decode()

    assert "Deleted" in said(purged.pk.lower())
    assert "Present" in said(present.pk)
    assert "Not known" in said("01KVNTZ0000000000000000000")


def test_a_stranger_sees_no_run_no_hold_and_no_fate(app, purged, client):
    hold = holding.place(project=app.project, scope=HoldScope.PROJECT, matter="Doe v. Roe", now=NOW)
    client.force_login(make_user(make_project(), Role.ADMIN))

    for path in (
        run_page("change"),
        run_page("certificate"),
        run_page("printed"),
        page("legalhold", "change", hold.pk),
    ):
        assert client.get(path).status_code == 302
    assert client.post(page("legalhold", "release", hold.pk), {"text": "mine"}).status_code == 302
    assert LegalHold.objects.active().exists()
    assert "Not known" in client.get(page("purge", "look_up"), {"id": purged.pk}).content.decode()


def test_another_project_s_app_cannot_be_held(app, officer, client):
    stranger = make_app()

    response = client.post(
        page("legalhold", "add"),
        {"project": app.project_id, "scope": "APP", "app": stranger.pk, "matter": "Doe v. Roe"},
    )

    assert "errorlist" in response.content.decode()
    assert not LegalHold.objects.exists()


def test_the_page_of_an_erasure_names_its_request_and_no_policy(app, officer, client):
    contact = make_contact(app.project)
    make_message(conversation=make_conversation(app, contact))
    asked = requests.receive(
        contact, kind=PrivacyRequest.Kind.ERASURE, identity_check="passport", by=officer, now=NOW
    )
    erasing.erase(requests.approve(asked, by=officer, now=NOW), now=NOW)

    shown = client.get(run_page("change")).content.decode()

    assert page("privacyrequest", "change", asked.pk) in shown
    assert "Legal ground" not in shown


def test_holds_are_listed_by_whether_they_hold(app, officer, client):
    placed = [
        holding.place(project=app.project, scope=HoldScope.APP, app=app, matter=matter, now=NOW)
        for matter in ("Doe v. Roe", "Roe v. Doe")
    ]
    holding.release(placed[0], text="settled", by=officer, now=NOW)

    shown = client.get(page("legalhold", "changelist"), {"state": "holds"}).content.decode()

    assert "Roe v. Doe" in shown
    assert "Doe v. Roe" not in shown
