"""Every page: what it may load, how many questions it asks, and the pages that have something of their own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django.urls import reverse

from contacts.models import Contact
from conversations.models import Message
from projects import clock, keys
from projects.models import AccessKey, ChannelCredential, Membership, Role
from retention import holding
from retention.models import HoldScope
from tests import factories
from tests.portal.pages import form_of, list_addresses, login, make_world, refused_by_policy, row_addresses
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world("ours")


@pytest.fixture
def client(world):
    return login(factories.make_user(world.project, Role.ADMIN))


def all_addresses(world):
    yield from [
        reverse("admin:index"),
        reverse("admin:security"),
        reverse("admin:password_change"),
        *list_addresses(),
    ]
    for label, row in world.rows.items():
        yield from row_addresses(label, row.pk)


def test_no_page_needs_an_inline_script_or_style_or_another_host(world):
    client = login(factories.make_user(is_superuser=True))

    for address in all_addresses(world):
        response = client.get(address)

        assert "unsafe" not in response["Content-Security-Policy"]
        assert "default-src 'self'" in response["Content-Security-Policy"]
        assert refused_by_policy(response.content.decode()) == [], address


@pytest.mark.parametrize(
    ("sandboxed", "said"), [({"*"}, "Every channel is served"), ({"SMS"}, "SMS is served")]
)
def test_every_page_says_what_the_sandbox_serves(client, world, sandboxed, said):
    with override_settings(CHANNELS_SANDBOXED=frozenset(sandboxed)):
        for address in all_addresses(world):
            response = client.get(address)

            assert response.status_code == 403 or said in response.content.decode(), address


def test_there_is_no_banner_where_nothing_is_sandboxed(client):
    with override_settings(CHANNELS_SANDBOXED=frozenset()):
        assert "leaves this machine" not in client.get(reverse("admin:index")).content.decode()


def test_every_page_is_reached_by_links_from_the_first(client):
    page = client.get(reverse("admin:index")).content.decode()

    for address in list_addresses():
        assert address.endswith("/add/") or f'href="{address}"' in page


def test_a_list_asks_as_many_questions_of_the_database_whatever_its_length(
    client, world, django_assert_max_num_queries
):
    app = world.rows["projects.app"]
    for _ in range(8):
        other = factories.make_app(world.project)
        conversation = factories.make_conversation(app, factories.make_contact(world.project, "46700000099"))
        factories.make_message(conversation=conversation)
        factories.make_message(conversation=factories.make_conversation(other))
        factories.make_webhook(other, f"https://{other.pk}.example.com/")
        factories.make_user(world.project)
        keys.issue(project=world.project)

    for address in list_addresses():
        if not address.endswith("/add/"):
            with django_assert_max_num_queries(14):
                client.get(address)


def test_no_list_counts_a_whole_table(client, django_assert_max_num_queries):
    with django_assert_max_num_queries(14) as asked:
        client.get(reverse("admin:conversations_message_changelist"))

    counts = [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 5000" in sql for sql in counts)


def test_the_secret_of_a_key_is_shown_once(client, world):
    response = client.post(
        reverse("admin:projects_accesskey_add"), {"project": world.project.pk, "name": "mobile"}
    )

    key = AccessKey.objects.get(name="mobile")
    secret = response.context["secret"]
    assert keys.identify(key.pk, secret).project_id == str(world.project.pk)
    assert (
        secret not in client.get(reverse("admin:projects_accesskey_change", args=[key.pk])).content.decode()
    )


def test_a_revoked_key_opens_nothing(client, world, django_capture_on_commit_callbacks):
    key, secret = keys.issue(project=world.project)
    keys.identify(key.pk, secret)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("admin:projects_accesskey_revoke", args=[key.pk]))

    with pytest.raises(keys.InvalidKey):
        keys.identify(key.pk, secret)


def test_the_history_of_a_row_tells_who_changed_what_from_where(client, world):
    app = world.rows["projects.app"]
    address = reverse("admin:projects_app_change", args=[app.pk])
    client.post(address, form_of(client, address, "app_form") | {"display_name": "Another name"})

    page = client.get(reverse("admin:projects_app_history", args=[app.pk])).content.decode()

    assert "ours app" in page
    assert "Another name" in page
    assert "PORTAL" in page


def test_the_configuration_has_a_history(client, world):
    for label in ("projects.app", "projects.project", "projects.membership", "webhooks.webhook",
                  "projects.channelcredential"):  # fmt: skip
        address = reverse(f"admin:{label.replace('.', '_')}_history", args=[world.rows[label].pk])

        assert "Created" in client.get(address).content.decode(), label


def test_a_member_is_added_by_user_name(client, world):
    person = factories.make_user(username="newcomer", is_staff=False)

    response = client.post(
        reverse("admin:projects_membership_add"),
        {"project": world.project.pk, "username": "newcomer", "role": "VIEWER"},
    )

    assert response.status_code == 302
    assert Membership.objects.get(user=person).role == Role.VIEWER
    person.refresh_from_db()
    assert person.is_staff


def test_a_person_is_a_member_once(client, world):
    response = client.post(
        reverse("admin:projects_membership_add"),
        {"project": world.project.pk, "username": "ours-admin", "role": "VIEWER"},
    )

    assert "already a member" in response.content.decode()


def test_an_admin_makes_a_person_who_is_a_member_at_once(client, world):
    response = client.post(reverse("admin:projects_user_add"), {
        "username": "fresh", "email": "", "usable_password": "true", "password1": "a long enough secret",
        "password2": "a long enough secret", "project": world.project.pk, "role": "OPERATOR",
    })  # fmt: skip

    assert response.status_code == 302, response.context["errors"]
    assert Membership.objects.get(user__username="fresh").role == Role.OPERATOR


def test_a_contact_is_made_with_its_identities_as_the_api_keeps_them(client, world):
    response = client.post(reverse("admin:contacts_contact_add"), {
        "project": world.project.pk, "display_name": "Zoe", "language": "UNSPECIFIED", "channel_priority_SMS": "1",
        "identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0", "identities-0-channel": "SMS",
        "identities-0-identity": "+46 700000011".replace(" ", ""),
    })  # fmt: skip

    assert response.status_code == 302, response.context["errors"]
    zoe = Contact.objects.get(display_name="Zoe")
    assert zoe.channel_priority == ["SMS"]
    assert [one.identity for one in zoe.identities.all()] == ["46700000011"]


def test_an_identity_that_is_none_is_refused_at_its_field(client, world):
    response = client.post(reverse("admin:contacts_contact_add"), {
        "project": world.project.pk, "display_name": "Zoe", "language": "UNSPECIFIED",
        "identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0", "identities-0-channel": "SMS",
        "identities-0-identity": "not a number",
    })  # fmt: skip

    assert "international phone number" in response.content.decode()
    assert not Contact.objects.filter(display_name="Zoe").exists()


def test_an_identity_scoped_to_an_app_of_another_project_is_refused(world):
    client = login(factories.make_user(is_superuser=True))
    foreign = factories.make_app()

    response = client.post(reverse("admin:contacts_contact_add"), {
        "project": world.project.pk, "display_name": "Zoe", "language": "UNSPECIFIED",
        "identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0", "identities-0-channel": "MESSENGER",
        "identities-0-identity": "psid", "identities-0-app": foreign.pk,
    })  # fmt: skip

    assert "Select a valid choice" in response.content.decode()


def test_a_deleted_contact_leaves_its_conversations(client, world):
    contact = factories.make_conversation(factories.make_app(world.project)).contact

    client.post(reverse("admin:contacts_contact_delete", args=[contact.pk]), {"post": "yes"})

    assert not Contact.objects.filter(pk=contact.pk).exists()
    page = client.get(reverse("admin:conversations_conversation_changelist")).content.decode()
    assert "a deleted contact" in page


def test_a_contact_that_a_legal_hold_names_is_not_deleted(client, world):
    contact = factories.make_contact(world.project)
    holding.place(
        project=world.project,
        scope=HoldScope.CONTACT,
        contact_id=contact.pk,
        matter="A case",
        now=clock.now(),
    )

    delete = reverse("admin:contacts_contact_delete", args=[contact.pk])
    page = client.post(delete, {"post": "yes"}, follow=True)

    assert "A legal hold keeps this" in page.content.decode()
    assert Contact.objects.filter(pk=contact.pk).exists()


@override_settings(RETENTION_READ_FILTER=True)
def test_a_transcript_says_what_is_kept_and_not_served(client, world):
    app = factories.make_app(world.project)
    late = factories.make_message(app, accept_time=clock.now() - timedelta(days=182))
    address = reverse("admin:conversations_conversation_change", args=[late.conversation_id])
    due = client.get(address)
    holding.place(project=world.project, scope=HoldScope.APP, app=app, matter="A case", now=clock.now())
    held = client.get(address)

    bubble = due.context["transcript"].bubbles[0]
    assert (bubble.message, bubble.is_served, bubble.is_held) == (late, False, False)
    assert held.content.decode().count("kept by a legal hold, not served") == 1


@override_settings(CHANNELS_SANDBOXED=frozenset({"*"}))
def test_a_contact_writes_without_a_phone(client, world):
    contact = world.rows["contacts.contact"]
    address = reverse("admin:contacts_contact_simulate", args=[contact.pk])
    pair = client.get(address).context["simulation"].fields["pair"].choices[0][0]

    response = client.post(address, {"simulate-pair": pair, "simulate-text": "Hello there"})

    assert response.status_code == 302
    assert Message.objects.get(direction="TO_APP").content == {"text_message": {"text": "Hello there"}}
    conversation = world.rows["conversations.conversation"]
    page = client.get(
        reverse("admin:conversations_conversation_change", args=[conversation.pk])
    ).content.decode()
    assert "Hello there" in page


def test_a_long_conversation_comes_in_pages(client, world):
    conversation = world.rows["conversations.conversation"]
    for number in range(60):
        factories.make_message(
            conversation=conversation, content={"text_message": {"text": f"no. {number:02}!"}}
        )

    address = reverse("admin:conversations_conversation_change", args=[conversation.pk])
    newest = client.get(address)
    older = client.get(address, {"until": newest.context["transcript"].older})

    assert len(newest.context["transcript"].bubbles) == 50
    assert len(older.context["transcript"].bubbles) == 11
    assert "Older messages" in newest.content.decode()
    assert "Older messages" not in older.content.decode()


def test_no_secret_is_in_any_page(client, world):
    secrets = [Webhook.objects.get().secret, ChannelCredential.objects.first().values["token"]]

    for address in all_addresses(world):
        page = client.get(address).content.decode()

        assert not any(secret in page for secret in secrets), address


@pytest.mark.parametrize(
    "label", ["conversations.message", "webhooks.event", "webhooks.attempt", "webhooks.deadletter"]
)
def test_a_long_list_is_searched_by_id(client, world, label):
    lists = reverse(f"admin:{label.replace('.', '_')}_changelist")

    found = (
        client.get(lists, {"q": world.rows["conversations.message"].pk.lower()}).context["cl"].result_count
    )
    nothing = client.get(lists, {"q": "no such thing"}).context["cl"].result_count

    assert (found, nothing) == (1, 0)


def test_messages_are_found_by_the_number_of_their_contact(client):
    page = client.get(reverse("admin:conversations_message_changelist"), {"q": "46700000010"})

    assert page.context["cl"].result_count == 1
