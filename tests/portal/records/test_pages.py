"""Every page: what it may load, how many questions it asks, and the pages that have something of their own."""

from __future__ import annotations

import re

import pytest
from django.test import override_settings
from django.urls import reverse

from projects import keys
from projects.models import ChannelCredential
from tests import factories
from tests.portal.pages import list_addresses, login, refused_by_policy, row_addresses
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db


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


def test_every_moment_is_written_alike_and_says_its_zone(world):
    client = login(factories.make_user(is_superuser=True))

    for address in all_addresses(world):
        page = re.sub(r"(?s)<(pre|code)\b.*?</\1>", "", client.get(address).content.decode())
        moments = [re.sub("<.*?>", "", shown) for shown in re.findall(r"(?s)<time\b.*?>(.*?)</time>", page)]
        text = re.sub(r"(?s)<.*?>", " ", page)

        assert [one for one in moments if ":" in one and not one.endswith(" UTC")] == [], address
        assert re.findall(r"\d{4}-\d\d-\d\d\D.{8}", text) == [], address


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
