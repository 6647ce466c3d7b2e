from __future__ import annotations

import pytest
from pghistory.models import Events

from outbox.models import Entry, Lane
from projects.models import App
from tests.factories import make_app, make_webhook, path
from tests.webhooks.asking import CREDENTIALS, SECRET, TARGET, create, of, patch, violations
from webhooks import publishing
from webhooks.models import Webhook
from webhooks.publishing import About
from webhooks.triggers import Trigger


def test_a_webhook_is_made_and_shown_with_every_field(app, client):
    answer = create(client, app, secret=SECRET, client_credentials=CREDENTIALS, target_type="HTTP")

    webhook = Webhook.objects.get()
    assert answer.status_code == 200
    assert answer.json() == {
        "id": webhook.id,
        "app_id": app.id,
        "target": TARGET,
        "target_type": "HTTP",
        "secret": "****ngth",
        "triggers": ["MESSAGE_INBOUND"],
        "client_credentials": {
            "client_id": "me",
            "client_secret": "****cret",
            "endpoint": "http://127.0.0.1:9/token",
            "scope": "",
            "response_type": "",
            "token_request_type": "BASIC",
        },
        "is_4xx_final": False,
    }
    assert (webhook.secret, webhook.client_secret) == (SECRET, "the-client-secret")
    assert client.get(of(webhook)).json() == answer.json()


def test_what_is_left_out_has_its_default(app, client):
    body = {"app_id": app.id, "target": TARGET, "secret": None, "client_credentials": None}

    answer = client.post(path(app.project, "webhooks"), body, format="json")

    assert answer.json() == {
        "id": Webhook.objects.get().id,
        "app_id": app.id,
        "target": TARGET,
        "target_type": "HTTP",
        "secret": "",
        "triggers": [],
        "client_credentials": None,
        "is_4xx_final": False,
    }


def test_the_object_of_the_java_client_is_taken_with_its_output_fields(app, client):
    answer = create(client, app, id="01J8Y3R0000000000000000001")

    assert answer.status_code == 200
    assert answer.json()["id"] != "01J8Y3R0000000000000000001"


def test_every_trigger_can_be_listened_to(app, client):
    answer = create(client, app, triggers=[trigger.value for trigger in Trigger])

    assert answer.json()["triggers"] == [trigger.value for trigger in Trigger]


def test_triggers_are_a_set(app, client):
    answer = create(client, app, triggers=["OPT_OUT", "OPT_IN", "OPT_OUT"])

    assert answer.json()["triggers"] == ["OPT_OUT", "OPT_IN"]


def test_a_secret_is_kept_exactly_as_given(app, client):
    create(client, app, secret=" s3cr3t-Ünï\t")

    assert Webhook.objects.get().secret == " s3cr3t-Ünï\t"


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"target": ""}, "target"),
        ({"target": None}, "target"),
        ({"target": "not a url"}, "target"),
        ({"target": "ftp://example.com/"}, "target"),
        ({"target": "http://169.254.169.254/"}, "target"),
        ({"target": "https://169.254.169.254/latest/meta-data"}, "target"),
        ({"target": "http://10.0.0.1/"}, "target"),
        ({"target": "http://[::ffff:169.254.169.254]/"}, "target"),
        ({"target_type": "GRPC"}, "target_type"),
        ({"triggers": ["UNSPECIFIED_TRIGGER"]}, "triggers[0]"),
        ({"triggers": ["OPT_IN", "NO_SUCH"]}, "triggers[1]"),
        ({"triggers": "OPT_IN"}, "triggers"),
        ({"secret": 5}, "secret"),
        ({"target": 5}, "target"),
        ({"app_id": None}, "app_id"),
        ({"client_credentials": "me"}, "client_credentials"),
        ({"client_credentials": {}}, "client_credentials.client_id"),
        ({"client_credentials": CREDENTIALS | {"client_secret": ""}}, "client_credentials.client_secret"),
        ({"client_credentials": CREDENTIALS | {"scope": "s" * 1025}}, "client_credentials.scope"),
        (
            {"client_credentials": CREDENTIALS | {"response_type": "r" * 65}},
            "client_credentials.response_type",
        ),
        (
            {"client_credentials": CREDENTIALS | {"token_request_type": "X"}},
            "client_credentials.token_request_type",
        ),
        (
            {"client_credentials": CREDENTIALS | {"endpoint": "http://169.254.169.254/"}},
            "client_credentials.endpoint",
        ),
    ],
)
def test_what_makes_no_webhook_is_refused_by_its_field(app, client, fields, refused):
    answer = create(client, app, **fields)

    assert refused in violations(answer)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(("length", "status"), [(742, 200), (743, 400)])
def test_a_target_has_at_most_742_characters(app, client, length, status):
    target = TARGET + "/" + "x" * (length - len(TARGET) - 1)

    answer = create(client, app, target=target)

    assert (len(target), answer.status_code) == (length, status)


def test_a_target_is_unique_within_the_app_and_free_in_another(app, client):
    create(client, app)

    again, elsewhere = create(client, app), create(client, make_app(app.project))

    assert violations(again) == {"": "Another webhook of this app already has this target."}
    assert elsewhere.status_code == 200
    assert Webhook.objects.count() == 2


def test_an_app_has_at_most_five_webhooks(app, client):
    answers = [create(client, app, target=f"{TARGET}/{number}") for number in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [400]
    assert violations(answers[5]) == {"": "An app has at most 5 webhooks."}
    assert Webhook.objects.count() == 5


def test_an_app_s_webhooks_are_listed_oldest_first(app, client, django_assert_num_queries):
    webhooks = [make_webhook(app, f"https://{number}.example/") for number in range(3)]
    make_webhook(make_app(app.project))
    url = path(app.project, f"apps/{app.id}/webhooks")
    client.get(url)  # so that the key is known

    with django_assert_num_queries(2):  # the app, its webhooks
        answer = client.get(url)

    assert [webhook["id"] for webhook in answer.json()["webhooks"]] == [webhook.id for webhook in webhooks]
    assert "a-webhook-secret" not in answer.content.decode()


def test_an_app_without_webhooks_has_an_empty_list(app, client):
    assert client.get(path(app.project, f"apps/{app.id}/webhooks")).json() == {"webhooks": []}


def test_making_a_webhook_below_its_app_is_not_implemented(app, client):
    answer = client.post(path(app.project, f"apps/{app.id}/webhooks"), {"target": TARGET}, format="json")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (501, 501, "UNIMPLEMENTED")


def test_a_deleted_webhook_is_gone_with_all_that_waited_for_it(app, client, now):
    webhook = make_webhook(app)
    about = About(accepted_time=now, event_time=now)
    publishing.publish(app=app, trigger=Trigger.OPT_IN, payload={}, about=about)

    answer = client.delete(of(webhook))

    assert (answer.status_code, answer.json()) == (200, {})
    assert client.get(of(webhook)).status_code == 404
    assert not Entry.objects.exists()
    assert not Lane.objects.exists()


def test_a_deleted_app_s_webhooks_are_not_shown(app, client, now):
    webhook = make_webhook(app)
    App.objects.filter(pk=app.pk).update(deleted_at=now)

    assert client.get(of(webhook)).status_code == 404
    assert client.get(path(app.project, f"apps/{app.id}/webhooks")).status_code == 404
    assert create(client, app).status_code == 404


def test_who_changed_a_webhook_is_kept_with_the_change(app, client):
    create(client, app)

    patch(client, Webhook.objects.get(), {"triggers": []})

    change = Events.objects.tracks(Webhook.objects.get()).get(pgh_label="update")
    assert change.pgh_context["via"] == "API"
