"""An app's page: its channels in their order, its webhooks, and what becomes of secrets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django.urls import reverse

from conversations.models import Conversation
from gateway.channels.base import Channel
from projects import clock
from projects.models import App, ChannelCredential, Role
from retention import purging
from tests import factories
from tests.portal.pages import login, save_app
from tests.retention.worlds import CONVERSATIONS, rule
from webhooks.models import Event, Webhook
from webhooks.triggers import Trigger

pytestmark = pytest.mark.django_db
SECRET = "telegram-bot-token-of-some-length-9f2a"


@pytest.fixture
def app():
    return factories.make_app(channels=[Channel.SMS, Channel.RCS])


@pytest.fixture
def client(app):
    return login(factories.make_user(app.project, Role.OPERATOR))


def channels(app) -> list[str]:
    return list(app.credentials.order_by("position").values_list("channel", flat=True))


def test_an_app_is_made_with_a_name(client, app):
    response = client.post(reverse("admin:projects_app_add"), {
        "project": app.project_id, "display_name": "New one", "conversation_metadata_report_view": "NONE",
    })  # fmt: skip

    assert response.status_code == 302
    assert App.objects.get(display_name="New one").project == app.project


def test_an_app_without_channels_has_its_page(client, app):
    app.credentials.all().delete()

    assert client.get(reverse("admin:projects_app_change", args=[app.pk])).status_code == 200


def test_the_order_of_channels_is_set_by_numbers(client, app):
    response = save_app(client, app, **{"credentials-0-place": "2", "credentials-1-place": "1"})

    assert response.status_code == 302
    assert channels(app) == ["RCS", "SMS"]


def test_a_channel_whose_credential_no_longer_fits_keeps_its_place_and_says_so(client, app):
    stale = app.credentials.get(channel=Channel.SMS)
    stale.values = {}
    stale.save()

    response = save_app(client, app, **{"credentials-0-place": "2", "credentials-1-place": "1"})
    page = client.get(reverse("admin:projects_app_change", args=[app.pk])).content.decode()

    assert response.status_code == 302
    assert channels(app) == ["RCS", "SMS"]
    assert "static_bearer.token is required." in page


def test_a_channel_is_disconnected(client, app):
    save_app(client, app, **{"credentials-0-DELETE": "on"})

    assert channels(app) == ["RCS"]


def test_each_channel_is_offered_with_a_form_of_its_own(client, app):
    page = client.get(
        reverse("admin:projects_channelcredential_add"), {"app": app.pk, "channel": "MMS"}
    ).content.decode()

    for name in (
        "value_account_id",
        "value_api_key",
        "value_basic_auth__username",
        "value_basic_auth__password",
    ):
        assert f'name="{name}"' in page


def test_a_connected_channel_is_tried_last_and_its_secret_never_shown(client, app):
    response = client.post(
        reverse("admin:projects_channelcredential_add") + f"?app={app.pk}&channel=TELEGRAM",
        {"app": app.pk, "value_token": SECRET},
    )

    assert response.status_code == 302
    credential = ChannelCredential.objects.get(channel="TELEGRAM")
    assert channels(app) == ["SMS", "RCS", "TELEGRAM"]
    assert credential.values == {"token": SECRET}
    page = client.get(
        reverse("admin:projects_channelcredential_change", args=[credential.pk])
    ).content.decode()
    assert "Set, ends in …9f2a." in page
    assert SECRET not in page
    assert f"/callbacks/TELEGRAM/{credential.pk}" in page


def test_a_secret_stays_when_the_field_is_left_empty(client, app):
    credential = app.credentials.get(channel="SMS")
    address = reverse("admin:projects_channelcredential_change", args=[credential.pk])

    client.post(address, {"value_claimed_identity": "another", "value_token": ""})

    credential.refresh_from_db()
    assert credential.values == {"claimed_identity": "another", "token": "a-token-of-enough-length"}


@override_settings(CHANNELS_SANDBOXED=frozenset())
def test_a_missing_value_is_refused_at_its_field(client, app):
    response = client.post(
        reverse("admin:projects_channelcredential_add") + f"?app={app.pk}&channel=MMS", {"app": app.pk}
    )

    assert "is required" in str(response.context["adminform"].form.errors["value_api_key"])
    assert not ChannelCredential.objects.filter(channel="MMS").exists()


def test_a_second_credential_for_a_channel_is_refused(client, app):
    response = client.post(
        reverse("admin:projects_channelcredential_add") + f"?app={app.pk}&channel=SMS",
        {"app": app.pk, "value_claimed_identity": "x", "value_token": "y"},
    )

    assert "already has a credential" in response.content.decode()
    assert app.credentials.count() == 2


def test_a_webhook_is_added_on_the_page_and_its_secret_never_shown(client, app, settings):
    response = save_app(client, app, **{
        "webhooks-0-target": "https://hooks.example.com/a", "webhooks-0-target_type": "HTTP",
        "webhooks-0-triggers": ["MESSAGE_INBOUND", "OPT_OUT"], "webhooks-0-new_secret": SECRET,
    })  # fmt: skip

    assert response.status_code == 302, response.context["errors"]
    webhook = Webhook.objects.get()
    assert webhook.triggers == ["MESSAGE_INBOUND", "OPT_OUT"]
    assert webhook.secret == SECRET
    page = client.get(reverse("admin:projects_app_change", args=[app.pk])).content.decode()
    assert "Set, ends in …9f2a." in page
    assert SECRET not in page


def test_what_a_page_shows_in_a_secret_s_place_is_no_secret(client, app):
    response = save_app(client, app, **{
        "webhooks-0-target": "https://hooks.example.com/a", "webhooks-0-target_type": "HTTP",
        "webhooks-0-new_secret": "****9f2a",
    })  # fmt: skip

    assert "This is only the mask of a secret" in response.content.decode()
    assert not Webhook.objects.exists()


def test_a_webhook_to_a_private_address_is_refused_at_the_field(client, app):
    response = save_app(client, app, **{
        "webhooks-0-target": "http://169.254.169.254/", "webhooks-0-target_type": "HTTP",
    })  # fmt: skip

    assert "errorlist" in response.content.decode()
    assert not Webhook.objects.exists()


def test_a_webhook_is_changed_and_removed(client, app):
    webhook = factories.make_webhook(app)

    save_app(client, app, **{"webhooks-0-target": "https://hooks.example.com/b"})
    webhook.refresh_from_db()
    assert webhook.target == "https://hooks.example.com/b"
    assert webhook.secret == "a-webhook-secret"

    save_app(client, app, **{"webhooks-0-DELETE": "on"})
    assert not Webhook.objects.exists()


def test_more_webhooks_than_an_app_may_have_are_refused(client, app):
    for number in range(5):
        factories.make_webhook(app, f"https://hooks.example.com/{number}")

    response = client.post(
        reverse("admin:webhooks_webhook_add"),
        {"app": app.pk, "target": "https://hooks.example.com/6", "target_type": "HTTP",
         "token_request_type": "BASIC"}, follow=True,
    )  # fmt: skip

    assert 'role="alert"' in response.content.decode()
    assert Webhook.objects.count() == 5


def test_a_deleted_app_is_gone_as_by_the_api(client, app):
    response = client.post(reverse("admin:projects_app_delete", args=[app.pk]), {"post": "yes"})

    assert response.status_code == 302
    app.refresh_from_db()
    assert app.deleted_at is not None
    assert not app.credentials.exists()
    assert "?" not in client.get(reverse("admin:projects_app_change", args=[app.pk]))["Location"]


def test_a_webhook_left_blank_on_the_page_is_none(client, app):
    assert save_app(client, app).status_code == 302
    assert not Webhook.objects.exists()


def test_conversations_that_expire_are_announced_until_that_is_switched_off(client, app):
    now = clock.now()
    rule(app, CONVERSATIONS, 30, now=now)
    factories.make_webhook(app)
    for announces in ("true", "false"):
        factories.make_message(app, accept_time=now - timedelta(days=60))
        save_app(client, app, announces_expiry=announces)
        purging.run(now=now)

    assert Event.objects.filter(trigger=Trigger.CONVERSATION_DELETE).count() == 1
    assert not Conversation.objects.exists()
