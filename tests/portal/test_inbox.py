"""The inbox: what a person must do, for whom it is, and where it is done."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
from django.urls import reverse

from gateway.channels.base import Channel
from projects import clock
from projects.mail import mailing
from projects.models import App, CredentialStatus, Project, Role
from retention import holding
from retention.deciding import changing
from retention.models import ChangeRequest, HoldScope, Justification, OwedItem, PrivacyRequest, Via
from retention.privacy import requests
from tests import factories
from tests.portal.pages import login

pytestmark = pytest.mark.django_db
WHY = "The trade law obliges us to keep letters of business for six years."
DAY = timedelta(days=1)


@pytest.fixture
def app():
    return factories.make_app(display_name="Bakery")


@pytest.fixture
def client(app):
    return login(factories.make_user(app.project, Role.COMPLIANCE))


def owe(app, ago=timedelta(0)):
    version = changing.change(
        app=app,
        retention_type="PERSIST_RETENTION_POLICY",
        ttl_days=180,
        via=Via.API,
        author_key=factories.KEY,
        now=clock.now() - ago,
    )
    assert version
    return version.owed


def inbox(client):
    return client.get(reverse("admin:inbox")).content.decode()


def words(page):
    """The badge of each item, in the page's order."""
    return re.findall(r"<h2><span class=\"state state-\w+\"><span[^>]*>.</span> ([^<]+)</span>", page)


def test_where_nothing_waits_it_says_so(client):
    page = inbox(client)

    assert "Nothing owed. Last checked" in page
    assert "Inbox: nothing owed" in client.get("/admin/").content.decode()


def test_an_open_item_is_listed_with_its_app_and_settled_from_there(client, app):
    item = owe(app)
    page = inbox(client)
    settle = reverse("admin:retention_oweditem_settle", args=[item.pk])

    assert words(page) == ["Justification owed"]
    assert "Bakery" in page
    assert f'href="{settle}"' in page
    assert "Inbox: 1 thing to do" in client.get("/admin/").content.decode()
    assert "errorlist" in client.post(settle, {"category": "CONTRACT", "text": "too short"}).content.decode()
    assert "errorlist" in client.post(settle, {}).content.decode()
    client.post(settle, {"category": "CONTRACT", "text": WHY})

    assert OwedItem.objects.get().state == OwedItem.State.SUPPLIED
    assert Justification.objects.get().given_by is not None
    assert words(inbox(client)) == []
    assert "Nothing is owed here any more" in client.get(settle).content.decode()


def test_what_is_overdue_comes_first(client, app):
    factories.make_webhook(app, disabled_at=clock.now(), disabled_reason="It failed for a day.")
    late = factories.make_app(app.project, display_name="Late")
    owe(app)
    owe(late, ago=15 * DAY)

    page = inbox(client)

    assert words(page) == ["Justification owed", "Justification owed", "Webhook disabled"]
    assert page.index("Late") < page.index("Bakery")
    assert page.count("is-overdue") == 1


def test_a_ground_whose_review_is_due_is_listed_until_it_is_given_anew(client, app):
    for review_on, name in ((date(2026, 3, 1), "Bakery"), (date(2099, 3, 1), "Far away")):
        ground = changing.Ground("CONTRACT", "", WHY, review_on)
        reviewed = App.objects.filter(display_name=name).first() or factories.make_app(
            app.project, display_name=name
        )
        changing.change(app=reviewed, retention_type="MESSAGE_EXPIRE_POLICY", ttl_days=365, via=Via.API,
                        author_key=factories.KEY,
                        ground=ground, now=datetime(2026, 2, 1, tzinfo=UTC))  # fmt: skip

    page = inbox(client)
    changing.change(
        app=app,
        retention_type="MESSAGE_EXPIRE_POLICY",
        ttl_days=180,
        via=Via.API,
        author_key=factories.KEY,
        now=clock.now(),
    )

    assert words(page) == ["Review due"]
    assert "Far away" not in page
    assert words(inbox(client)) == []


def test_a_change_to_approve_is_listed_while_it_lives(client, app):
    now = clock.now()
    asked = {"app": app, "retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 1, "replaces": 0, "newly_due": 12,
             "asked_by": factories.make_user(username="bernd")}  # fmt: skip
    ChangeRequest.objects.create(**asked, asked_at=now, expires_at=now + DAY)
    other = asked | {"app": factories.make_app(app.project, display_name="Gone by")}
    ChangeRequest.objects.create(**other, asked_at=now - 2 * DAY, expires_at=now - DAY)

    page = inbox(client)

    assert words(page) == ["Approval awaited"]
    assert "bernd asks" in page
    assert "Gone by" not in page


def test_what_is_due_for_more_than_a_day_is_reported(client, app):
    punctual = factories.make_app(app.project, display_name="Punctual")
    factories.make_message(app, accept_time=clock.now() - 182 * DAY)
    factories.make_message(punctual, accept_time=clock.now() - 180.5 * DAY)

    page = inbox(client)

    assert words(page) == ["Retention overdue"]
    assert "Punctual" not in page


def test_the_last_of_very_many_apps_is_looked_at_too(client, app, monkeypatch):
    monkeypatch.setattr(import_module("portal.inbox.items"), "AT_MOST", 3)
    others = [factories.make_app(app.project) for _ in range(4)]
    factories.make_message(max(others, key=lambda other: other.pk), accept_time=clock.now() - 182 * DAY)

    assert words(inbox(client)) == ["Retention overdue"]


def test_whoever_has_more_than_it_shows_is_told(client, app, monkeypatch):
    owe(app)
    assert "more of a kind" not in inbox(client)
    for module in ("items", "page"):
        monkeypatch.setattr(import_module(f"portal.inbox.{module}"), "AT_MOST", 1)

    page = inbox(client)

    assert words(page) == ["Justification owed"]
    assert "more of a kind" in page


def test_a_policy_that_has_just_come_into_force_has_a_day(client, app):
    factories.make_message(app, accept_time=clock.now() - 60 * DAY)
    changing.change(
        app=app, retention_type="MESSAGE_EXPIRE_POLICY", ttl_days=30, via=Via.API,
        author_key=factories.KEY, now=clock.now() - 1.5 * DAY,
        ground=changing.Ground("CONTRACT", "", WHY),
    )  # fmt: skip

    assert words(inbox(client)) == []


def test_channels_webhooks_and_contacts_are_looked_after(client, app):
    app.credentials.update(status=CredentialStatus.FAILING, status_description="The token was revoked.")
    factories.make_webhook(app, disabled_at=clock.now(), disabled_reason="It failed for a day.")
    for _ in range(2):
        factories.make_contact(app.project, (Channel.SMS, "46700000010"))

    page = inbox(client)

    assert words(page) == ["Credential failing", "Webhook disabled", "Identity conflict"]
    assert "The token was revoked." in page
    assert "It failed for a day." in page


def test_a_hold_of_long_ago_is_looked_at_again(client, app):
    for matter, days in (("Case 7", 200), ("Case 8", 20)):
        holding.place(
            project=app.project, app=app, scope=HoldScope.APP, matter=matter, now=clock.now() - days * DAY
        )

    page = inbox(client)

    assert words(page) == ["Hold to look at"]
    assert "Case 7" in page


def test_the_overview_says_that_nothing_waits_only_where_the_inbox_has_nothing(client, app):
    well = client.get("/admin/").content.decode()
    factories.make_webhook(app, disabled_at=clock.now())
    holding.place(project=app.project, scope=HoldScope.PROJECT, matter="Case 7", now=clock.now() - 200 * DAY)

    page = client.get("/admin/").content.decode()

    assert "Nothing waits for you" in well
    assert "Nothing waits for you" not in page
    assert "1 webhook<" in page
    assert "1 thing in the inbox" in page


def test_who_runs_the_installation_reads_mails_that_were_not_sent(client):
    mailing.post(to=[], subject="To nobody", text="Nobody reads this.", now=clock.now())
    superuser = login(factories.make_user(is_superuser=True))

    page = inbox(superuser)

    assert words(page) == ["Mails not sent"]
    assert "Nobody reads this." in page
    assert words(inbox(client)) == []


@pytest.mark.parametrize(
    ("role", "actions"),
    [(Role.ADMIN, 2), (Role.OPERATOR, 2), (Role.COMPLIANCE, 1), (Role.VIEWER, 0)],
)
def test_a_role_acts_on_what_it_is_for_and_reads_the_rest(app, role, actions):
    owe(app)
    factories.make_webhook(app, disabled_at=clock.now())
    client = login(factories.make_user(app.project, role))

    page = inbox(client)
    settled = client.post(
        reverse("admin:retention_oweditem_settle", args=[OwedItem.objects.get().pk]),
        {"category": "CONTRACT", "text": WHY},
    )

    assert len(words(page)) == 2
    assert len(re.findall(r">(Give the ground|Open it)<", page)) == actions
    assert settled.status_code == (403 if role == Role.VIEWER else 302)


def test_nobody_sees_what_belongs_to_another_project(client, app):
    theirs = factories.make_app(display_name="Theirs")
    owe(theirs)
    factories.make_webhook(theirs, disabled_at=clock.now())
    theirs.credentials.update(status=CredentialStatus.FAILING)
    factories.make_message(theirs, accept_time=clock.now() - 1000 * DAY)
    for _ in range(2):
        factories.make_contact(theirs.project, (Channel.SMS, "46700000010"))

    assert words(inbox(client)) == []


def test_a_deleted_app_owes_nothing(client, app):
    owe(app)
    App.objects.filter(pk=app.pk).update(deleted_at=clock.now())

    assert words(inbox(client)) == []


def test_it_asks_as_many_questions_whatever_its_length(client, app, django_assert_max_num_queries):
    for _ in range(8):
        other = factories.make_app(app.project)
        owe(other, ago=20 * DAY)
        factories.make_webhook(other, disabled_at=clock.now())
        factories.make_message(other, accept_time=clock.now() - 1000 * DAY)
    assert Project.objects.count() == 1

    with django_assert_max_num_queries(40):
        inbox(client)


def test_a_privacy_request_is_listed_with_its_month_until_it_is_decided(app, client):
    contact = factories.make_contact(app.project, "46700000010")
    asked = requests.receive(
        contact, kind=PrivacyRequest.Kind.ERASURE, identity_check="a code", now=clock.now()
    )
    page = reverse("admin:retention_privacyrequest_change", args=[asked.pk])
    assert page in client.get(reverse("admin:inbox")).content.decode()

    requests.refuse(asked, why="not the person", by=None, now=clock.now())

    assert page not in client.get(reverse("admin:inbox")).content.decode()
