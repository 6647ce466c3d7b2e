from __future__ import annotations

import pytest

from tests.factories import make_webhook
from tests.refusals import assert_refused
from tests.webhooks.asking import CREDENTIALS, SECRET, TARGET, create, of, patch, violations
from webhooks.models import Webhook
from webhooks.triggers import Trigger


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", {"target": f"{TARGET}/new"}),  # Java: no mask
        ("?update_mask=target%2Ctriggers", {"target": f"{TARGET}/new", "triggers": ["OPT_OUT"]}),  # Python
        ("?update_mask=target,triggers", {"target": f"{TARGET}/new", "triggers": ["OPT_OUT"]}),  # Node
        (
            "?update_mask.paths=target&update_mask.paths=triggers",
            {"target": f"{TARGET}/new", "triggers": ["OPT_OUT"]},
        ),
        ("?update_mask=target", {"target": f"{TARGET}/new", "secret": "ignored", "triggers": []}),
    ],
    ids=["without a mask", "encoded commas", "raw commas", "repeated paths", "a mask narrower than the body"],
)
def test_only_what_a_client_names_is_changed(app, client, query, body):
    webhook = make_webhook(app, secret=SECRET, triggers=["OPT_OUT"])

    answer = patch(client, webhook, body, query)

    webhook.refresh_from_db()
    assert answer.status_code == 200
    assert answer.json()["target"] == webhook.target == f"{TARGET}/new"
    assert (webhook.secret, webhook.triggers) == (SECRET, ["OPT_OUT"])


def test_a_masked_field_without_a_value_is_reset(app, client):
    fields = {
        "client_id": "me",
        "client_secret": "x",
        "token_endpoint": "https://t.example/",
        "token_scope": "s",
    }
    webhook = make_webhook(app, secret=SECRET, target_type="DISMISS", **fields)

    answer = patch(
        client, webhook, {"secret": None}, "?update_mask=secret,triggers,client_credentials,target_type"
    )

    webhook.refresh_from_db()
    assert answer.json() == {
        "id": webhook.id,
        "app_id": app.id,
        "target": webhook.target,
        "target_type": "HTTP",
        "secret": "",
        "triggers": [],
        "client_credentials": None,
        "is_4xx_final": False,
    }
    assert (webhook.secret, webhook.client_secret, webhook.token_scope) == ("", "", "")


def test_reading_editing_and_writing_back_keeps_the_secrets(app, client):
    create(client, app, secret=SECRET, client_credentials=CREDENTIALS)
    webhook = Webhook.objects.get()

    body = client.get(of(webhook)).json() | {"triggers": ["OPT_OUT"]}
    answer = patch(client, webhook, body)

    webhook.refresh_from_db()
    assert answer.json() == body
    assert (webhook.secret, webhook.client_secret) == (SECRET, "the-client-secret")


def test_whether_4xx_is_final_is_an_extension_that_is_written_and_reset_as_any_field(app, client):
    webhook = make_webhook(app)

    told = [
        patch(client, webhook, body, mask).json()["is_4xx_final"]
        for body, mask in [({"is_4xx_final": True}, ""), ({}, ""), ({}, "?update_mask=is_4xx_final")]
    ]

    assert told == [True, True, False]
    assert_refused(patch(client, webhook, {"is_4xx_final": "yes"}), "is_4xx_final")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"secret": "****"}, "secret"),
        ({"secret": "****9999"}, "secret"),
        (
            {"client_credentials": CREDENTIALS | {"client_secret": "****9999"}},
            "client_credentials.client_secret",
        ),
    ],
)
def test_a_mask_of_no_stored_secret_is_refused_by_its_place(app, client, body, field):
    create(client, app, secret=SECRET, client_credentials=CREDENTIALS)
    webhook = Webhook.objects.get()

    changed = patch(client, webhook, body)
    made = create(client, app, target=f"{TARGET}/2", **body)

    assert violations(changed).keys() == violations(made).keys() == {field}
    webhook.refresh_from_db()
    assert (webhook.secret, webhook.client_secret) == (SECRET, "the-client-secret")
    assert Webhook.objects.count() == 1


def test_a_new_secret_replaces_the_old_one(app, client):
    webhook = make_webhook(app, TARGET, secret=SECRET)

    patch(client, webhook, {"secret": "another-secret"})

    webhook.refresh_from_db()
    assert webhook.secret == "another-secret"


def test_one_value_of_the_client_credentials_is_changed_by_its_path(app, client):
    create(client, app, client_credentials=CREDENTIALS)
    webhook = Webhook.objects.get()

    patch(client, webhook, {"client_credentials": {"scope": "new"}}, "?update_mask=client_credentials.scope")

    webhook.refresh_from_db()
    assert (webhook.token_scope, webhook.client_id) == ("new", "me")
    assert webhook.client_secret == "the-client-secret"


def test_client_credentials_are_replaced_whole(app, client):
    create(client, app, client_credentials=CREDENTIALS | {"scope": "old"})
    webhook = Webhook.objects.get()

    half = patch(client, webhook, {"client_credentials": {"client_id": "you", "client_secret": "x"}})
    whole = patch(client, webhook, {"client_credentials": CREDENTIALS | {"client_id": "you"}})

    assert "client_credentials.endpoint" in violations(half)
    assert (whole.json()["client_credentials"]["client_id"], whole.json()["client_credentials"]["scope"]) == (
        "you",
        "",
    )


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({"target": "http://169.254.169.254/"}, ""),
        ({}, "?update_mask=target"),
        ({"target": None}, ""),
        ({"triggers": ["UNSPECIFIED_TRIGGER"]}, ""),
        ({"app_id": "01J8Y3R0000000000000000001"}, ""),
        ({"target": TARGET}, "?update_mask=nonsense"),
        ({"target": "https://taken.example/"}, ""),
    ],
)
def test_a_change_that_makes_no_webhook_changes_nothing(app, client, body, query):
    make_webhook(app, "https://taken.example/")
    webhook = make_webhook(app, TARGET)

    answer = patch(client, webhook, body, query)

    assert violations(answer)
    assert Webhook.objects.get(pk=webhook.pk).target == TARGET
    assert Webhook.objects.get(pk=webhook.pk).triggers == list(Trigger)


def test_a_webhook_stays_in_its_app_although_clients_send_it_along(app, client):
    webhook = make_webhook(app, TARGET)

    answer = patch(
        client, webhook, {"id": "anything", "app_id": app.id, "triggers": []}, "?update_mask=app_id,triggers"
    )

    assert (answer.status_code, answer.json()["app_id"], answer.json()["triggers"]) == (200, app.id, [])


def test_a_new_target_switches_a_webhook_on_again(app, client, now):
    webhook = make_webhook(app, TARGET, disabled_at=now, disabled_reason="HTTP 410: the receiver is gone")
    patch(client, webhook, {"triggers": []})
    webhook.refresh_from_db()
    assert webhook.disabled_at == now

    patch(client, webhook, {"target": f"{TARGET}/new"})

    webhook.refresh_from_db()
    assert webhook.disabled_at is None
    assert webhook.disabled_reason == ""
