import pytest
from pghistory.models import Events

from conversations.reaching.delivery import Sending
from outbox import entries
from projects import ids
from projects.models import App, ChannelCredential
from tests.factories import (
    api_client,
    make_app,
    make_project,
    path,
)
from tests.portal.apps import create, patch, show
from tests.refusals import assert_refused

pytestmark = pytest.mark.django_db

BEARER = {"claimed_identity": "Acme", "token": "a-secret-token-1234"}
SMS = {"channel": "SMS", "static_bearer": BEARER}


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def client(project):
    return api_client(project)


def test_an_app_shows_every_field_of_the_contract(client, project):
    answer = create(client, project)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": answer.json()["id"],
        "display_name": "Shop",
        "channel_credentials": [],
        "conversation_metadata_report_view": "NONE",
        "retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 180},
        "dispatch_retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 0},
        "processing_mode": "CONVERSATION",
        "smart_conversation": {"enabled": False},
        "callback_settings": {"secret_for_overridden_callback_urls": ""},
        "message_retry_settings": {"retry_duration": 3600},
        "delivery_report_based_fallback": {"enabled": False, "delivery_report_waiting_time": 0},
        "rate_limits": {"inbound": 1000, "outbound": 1000, "webhooks": 1000},
        "queue_stats": {"outbound_size": 0, "outbound_limit": 500_000},
        "persist_message_status": {"enabled": True},
        "message_search": {"enabled": False},
    }
    assert ids.is_ulid(answer.json()["id"])
    assert show(client, answer.json()["id"]) == answer.json()


def test_an_app_is_created_with_all_that_may_be_set(client, project):
    wanted = {
        "display_name": "Ünï 🦊",
        "conversation_metadata_report_view": "FULL",
        "retention_policy": {"retention_type": "CONVERSATION_EXPIRE_POLICY", "ttl_days": 30},
        "dispatch_retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 7},
        "processing_mode": "DISPATCH",
        "smart_conversation": {"enabled": True},
        "message_retry_settings": {"retry_duration": 60},
        "delivery_report_based_fallback": {"enabled": True, "delivery_report_waiting_time": 600},
    }

    answer = create(
        client, project, **wanted, callback_settings={"secret_for_overridden_callback_urls": "override-1234"}
    )

    assert answer.status_code == 200, answer.content
    assert {name: answer.json()[name] for name in wanted} == wanted
    assert answer.json()["callback_settings"] == {"secret_for_overridden_callback_urls": "****1234"}
    assert App.objects.get().callback_secret == "override-1234"


def test_output_fields_that_a_client_sends_along_are_passed_over(client, project):
    answer = create(client, project, id="mine", rate_limits={"inbound": 1}, queue_stats=7, message_search="x")

    assert answer.json()["id"] != "mine"
    assert answer.json()["rate_limits"]["inbound"] == 1000


def test_the_operator_chooses_the_default_processing_mode(client, project, settings):
    settings.DEFAULT_PROCESSING_MODE = "DISPATCH"

    assert create(client, project).json()["processing_mode"] == "DISPATCH"


@pytest.mark.parametrize("name", ["display_name", "channel_credentials"])
@pytest.mark.parametrize("value", [None, "absent"])
def test_an_app_needs_a_name_and_a_list_of_credentials(client, project, name, value):
    body = {"display_name": "Shop", "channel_credentials": []} | {name: value}
    if value == "absent":
        del body[name]

    assert_refused(client.post(path(project, "apps"), body, format="json"), name, "is required")
    assert not App.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("display_name", "", "display_name"),
        ("display_name", "  ", "display_name"),
        ("display_name", 7, "display_name"),
        ("display_name", "x" * 256, "display_name"),
        ("conversation_metadata_report_view", "SOME", "conversation_metadata_report_view"),
        ("processing_mode", "BATCH", "processing_mode"),
        ("processing_mode", 7, "processing_mode"),
        ("smart_conversation", True, "smart_conversation"),
        ("smart_conversation", {"enabled": "true"}, "smart_conversation.enabled"),
        ("callback_settings", "secret", "callback_settings"),
        ("callback_settings", {"secret_for_overridden_callback_urls": 7},
         "callback_settings.secret_for_overridden_callback_urls"),
        ("callback_settings", {"secret_for_overridden_callback_urls": "x" * 1025},
         "callback_settings.secret_for_overridden_callback_urls"),
        ("callback_settings", {"secret_for_overridden_callback_urls": "****1234"},
         "callback_settings.secret_for_overridden_callback_urls"),
        ("message_retry_settings", {"retry_duration": 29}, "message_retry_settings.retry_duration"),
        ("message_retry_settings", {"retry_duration": 3601}, "message_retry_settings.retry_duration"),
        ("message_retry_settings", {"retry_duration": -60}, "message_retry_settings.retry_duration"),
        ("message_retry_settings", {"retry_duration": "60"}, "message_retry_settings.retry_duration"),
        ("message_retry_settings", {"retry_duration": 60.5}, "message_retry_settings.retry_duration"),
        ("message_retry_settings", {"retry_duration": True}, "message_retry_settings.retry_duration"),
        ("delivery_report_based_fallback", {"enabled": 1}, "delivery_report_based_fallback.enabled"),
        ("delivery_report_based_fallback", {"enabled": False, "delivery_report_waiting_time": -1},
         "delivery_report_based_fallback.delivery_report_waiting_time"),
        ("delivery_report_based_fallback", {"enabled": False, "delivery_report_waiting_time": 2**40},
         "delivery_report_based_fallback.delivery_report_waiting_time"),
        ("retention_policy", [], "retention_policy"),
        ("retention_policy", {"retention_type": "FOREVER"}, "retention_policy.retention_type"),
        ("retention_policy", {"ttl_days": "30"}, "retention_policy.ttl_days"),
        ("retention_policy", {"ttl_days": 0}, "retention_policy.ttl_days"),
        ("retention_policy", {"ttl_days": 3651}, "retention_policy.ttl_days"),
        ("retention_policy", {"ttl_days": -1}, "retention_policy.ttl_days"),
        ("retention_policy", {"ttl_days": 2**40}, "retention_policy.ttl_days"),
        ("dispatch_retention_policy", {"ttl_days": 8}, "dispatch_retention_policy.ttl_days"),
        ("dispatch_retention_policy", {"ttl_days": -1}, "dispatch_retention_policy.ttl_days"),
        ("channel_credentials", {}, "channel_credentials"),
        ("channel_credentials", [SMS] * 101, "channel_credentials"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_place(client, project, field, value, place):
    assert_refused(create(client, project, **{field: value}), place)
    assert not App.objects.exists()


@pytest.mark.parametrize("waiting", [1, 9, 259_201])
def test_a_waiting_time_out_of_bounds_is_refused(client, project, waiting):
    fallback = {"enabled": False, "delivery_report_waiting_time": waiting}

    refusal = create(client, project, delivery_report_based_fallback=fallback)

    assert refusal.status_code == 400
    assert "delivery_report_waiting_time is 10 to 259200 seconds." in refusal.json()["error"]["message"]


def test_an_enabled_fallback_needs_a_waiting_time(client, project):
    refusal = create(client, project, delivery_report_based_fallback={"enabled": True})

    assert refusal.status_code == 400
    assert "delivery_report_waiting_time is needed" in refusal.json()["error"]["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", "🦊" * 255),
        ("callback_settings", {"secret_for_overridden_callback_urls": "x" * 1024}),
        ("message_retry_settings", {"retry_duration": 30}),
        ("message_retry_settings", {"retry_duration": 3600}),
        ("delivery_report_based_fallback", {"enabled": True, "delivery_report_waiting_time": 10}),
        ("delivery_report_based_fallback", {"enabled": True, "delivery_report_waiting_time": 259_200}),
        ("retention_policy", {"ttl_days": 1}),
        ("retention_policy", {"ttl_days": 3650}),
        ("dispatch_retention_policy", {"ttl_days": 0}),
        ("dispatch_retention_policy", {"ttl_days": 7}),
    ],
)
def test_a_value_just_within_its_bounds_is_taken(client, project, field, value):
    assert create(client, project, **{field: value}).status_code == 200


def test_a_list_shows_all_living_apps_of_the_project(client, project):
    apps = sorted(make_app(project).id for _ in range(25))
    make_app()

    answer = client.get(path(project, "apps")).json()

    assert [app["id"] for app in answer["apps"]] == apps
    assert list(answer) == ["apps"]


def test_a_list_costs_as_many_queries_for_20_apps_as_for_one(client, project, django_assert_num_queries):
    make_app(project)
    client.get(path(project, "apps"))
    with django_assert_num_queries(4):
        client.get(path(project, "apps"))

    for _ in range(19):
        create(client, project, retention_policy={"ttl_days": 30}, channel_credentials=[SMS])

    with django_assert_num_queries(4):
        assert len(client.get(path(project, "apps")).json()["apps"]) == 20


def test_the_queue_is_as_long_as_what_waits_for_the_apps_channels(client, project):
    app = make_app(project)
    owner = ids.to_uuid(app.credentials.get().id)
    entries.put(Sending.name, [(owner, ids.to_uuid(ids.ulid())) for _ in range(3)])

    assert show(client, app.id)["queue_stats"]["outbound_size"] == 3


def test_a_change_without_a_mask_touches_what_is_sent(client, project):
    app_id = create(client, project, processing_mode="DISPATCH", channel_credentials=[SMS]).json()["id"]
    before = show(client, app_id)

    answer = patch(client, app_id, {"display_name": "New"})

    assert answer.json() == before | {"display_name": "New"}


def test_a_change_with_a_mask_resets_what_the_body_leaves_out(client, project):
    app_id = create(client, project, smart_conversation={"enabled": True}, channel_credentials=[SMS]).json()[
        "id"
    ]

    answer = patch(
        client, app_id, {"display_name": "New"}, "?update_mask=smart_conversation%2Cchannel_credentials"
    )

    assert answer.json()["display_name"] == "Shop"
    assert answer.json()["smart_conversation"] == {"enabled": False}
    assert answer.json()["channel_credentials"] == []


def test_what_is_read_can_be_written_back_and_changes_nothing(client, project):
    callback_settings = {"secret_for_overridden_callback_urls": "override-1234"}
    credentials = [SMS | {"callback_secret": "a-callback-secret"}]
    app_id = create(
        client, project, callback_settings=callback_settings, channel_credentials=credentials
    ).json()["id"]
    whole = show(client, app_id)

    assert patch(client, app_id, whole).json() == whole
    assert App.objects.get().callback_secret == "override-1234"
    assert ChannelCredential.objects.get().values == BEARER
    assert ChannelCredential.objects.get().callback_secret == "a-callback-secret"


def test_a_refused_change_changes_nothing(client, project):
    app_id = create(client, project, channel_credentials=[SMS]).json()["id"]
    before = show(client, app_id)

    body = {"display_name": "New", "channel_credentials": [], "retention_policy": {"ttl_days": 0}}
    assert_refused(patch(client, app_id, body), "retention_policy.ttl_days")
    assert_refused(patch(client, app_id, {"display_name": ""}), "display_name", "must not be empty")
    assert_refused(patch(client, app_id, {"display_name": None}), "display_name", "is required")
    assert_refused(patch(client, app_id, body, "?update_mask=name"), "update_mask", "unknown field: name")

    assert show(client, app_id) == before


def test_an_app_of_another_project_does_not_exist(project):
    app = make_app(project)
    stranger = make_project()
    theirs = api_client(stranger)

    for app_id in (app.id, ids.ulid(), "nonsense", app.id.lower()):
        url = path(stranger, f"apps/{app_id}")
        for refusal in (
            theirs.get(url),
            theirs.patch(url, {"display_name": "x"}, format="json"),
            theirs.delete(url),
        ):
            assert refusal.status_code == 404
            assert refusal.json()["error"]["status"] == "NOT_FOUND"
    assert theirs.get(path(stranger, "apps")).json() == {"apps": []}
    app.refresh_from_db()
    assert app.deleted_at is None


def test_the_key_behind_a_change_is_in_the_audit_trail(client, project):
    app_id = create(client, project).json()["id"]
    client.patch(
        path(project, f"apps/{app_id}"), {"display_name": "New"}, format="json", HTTP_USER_AGENT="an-sdk/1"
    )

    change = Events.objects.tracks(App.objects.get(pk=app_id)).get(pgh_label="update")
    assert change.pgh_diff["display_name"] == ["Shop", "New"]
    assert change.pgh_context["via"] == "API"
    assert change.pgh_context["key"] == project.access_keys.get().id
    assert change.pgh_context["client"] == "an-sdk/1"
