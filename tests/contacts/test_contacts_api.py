import pytest
from django.utils import timezone

from contacts.models import ChannelIdentity, Contact
from gateway.channels.base import APP_SCOPED, Channel
from projects import ids
from tests.contacts.asking import SMS, create, patch
from tests.factories import api_client, make_app, make_contact, make_project, path
from tests.refusals import assert_refused

pytestmark = pytest.mark.django_db


def test_a_contact_is_created_with_all_its_fields(client, project, app):
    whole = {
        "channel_identities": [
            {"channel": "SMS", "identity": "46700000001", "app_id": ""},
            {"channel": "MESSENGER", "identity": "7746490198930851", "app_id": app.id},
        ],
        "channel_priority": ["MESSENGER", "SMS"],
        "display_name": "Ünï 🦊",
        "email": "fox@example.com",
        "external_id": "crm-7",
        "language": "EN_GB",
        "metadata": '{"a": 1}',
    }

    answer = client.post(path(project, "contacts"), whole, format="json")

    assert answer.status_code == 200
    assert answer.json() == {"id": answer.json()["id"]} | whole
    assert ids.is_ulid(answer.json()["id"])
    assert client.get(path(project, f"contacts/{answer.json()['id']}")).json() == answer.json()


def test_what_a_client_leaves_out_is_spelt_out(client, project):
    answer = create(client, project)

    assert answer.json() == {
        "id": answer.json()["id"],
        "channel_identities": [SMS | {"app_id": ""}],
        "channel_priority": [],
        "display_name": "Unknown",
        "email": "",
        "external_id": "",
        "language": "UNSPECIFIED",
        "metadata": "",
    }


def test_null_is_as_good_as_absent(client, project):
    fields = ("channel_priority", "display_name", "email", "external_id", "language", "metadata")
    answer = create(client, project, **dict.fromkeys(fields))

    assert answer.json()["display_name"] == "Unknown"
    assert answer.json()["language"] == "UNSPECIFIED"


@pytest.mark.parametrize("written", ["46700000001", "+46700000001", " +46700000001 ", " 46700000001"])
def test_phone_numbers_are_kept_without_plus_and_blanks(client, project, written):
    answer = create(client, project, channel_identities=[{"channel": "WHATSAPP", "identity": written}])

    assert answer.json()["channel_identities"][0]["identity"] == "46700000001"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "is required"),
        ({"channel_identities": None}, "is required"),
        ({"channel_identities": []}, "at least one"),
    ],
)
def test_a_contact_needs_an_identity(client, project, body, says):
    refusal = client.post(path(project, "contacts"), body, format="json")

    assert_refused(refusal, "channel_identities", says)
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("entry", "field", "says"),
    [
        ("SMS", "channel_identities[1]", "must be an object"),
        ({}, "channel_identities[1].channel", "must be one of"),
        ({"channel": "FAX", "identity": "1"}, "channel_identities[1].channel", "must be one of"),
        ({"channel": ["SMS"], "identity": "1"}, "channel_identities[1].channel", "must be one of"),
        ({"channel": "SMS"}, "channel_identities[1].identity", "is required"),
        ({"channel": "SMS", "identity": " "}, "channel_identities[1].identity", "must not be empty"),
        ({"channel": "SMS", "identity": 46700000001}, "channel_identities[1].identity", "must be a string"),
        ({"channel": "SMS", "identity": "not a number"}, "channel_identities[1].identity", "5 to 15 digits"),
        ({"channel": "SMS", "identity": "1" * 16}, "channel_identities[1].identity", "5 to 15 digits"),
        ({"channel": "TELEGRAM", "identity": "x" * 256}, "channel_identities[1].identity", "255"),
        (
            {"channel": "TELEGRAM", "identity": "x", "app_id": 7},
            "channel_identities[1].app_id",
            "must be a string",
        ),
        (
            {"channel": "MESSENGER", "identity": "x"},
            "channel_identities[1].app_id",
            "is required on MESSENGER",
        ),
        (
            {"channel": "MESSENGER", "identity": "x", "app_id": ""},
            "channel_identities[1].app_id",
            "is required",
        ),
        ({"channel": "SMS", "identity": "46700000001"}, "channel_identities[1]", "is listed twice"),
        ({"channel": "SMS", "identity": "+46700000001"}, "channel_identities[1]", "is listed twice"),
    ],
)
def test_a_wrong_identity_is_refused_by_its_place(client, project, entry, field, says):
    assert_refused(create(client, project, channel_identities=[SMS, entry]), field, says)
    assert not Contact.objects.exists()


def test_a_channel_that_does_not_scope_identities_takes_no_app(client, project, app):
    refusal = create(client, project, channel_identities=[SMS | {"app_id": app.id}])

    assert_refused(refusal, "channel_identities[0].app_id", "must be empty on SMS")


@pytest.mark.parametrize("channel", sorted(Channel))
def test_every_channel_has_identities(client, project, app, channel):
    scope = {"app_id": app.id} if channel in APP_SCOPED else {}
    answer = create(
        client, project, channel_identities=[{"channel": channel, "identity": "46700000001"} | scope]
    )

    assert answer.status_code == 200
    assert answer.json()["channel_identities"][0]["channel"] == channel


def test_an_app_that_is_not_the_projects_own_does_not_exist(client, project):
    strange, deleted = make_app(), make_app(project, deleted_at=timezone.now())

    for app_id in (strange.id, deleted.id, ids.ulid(), "nonsense"):
        identity = {"channel": "MESSENGER", "identity": "x", "app_id": app_id}
        refusal = create(client, project, channel_identities=[identity])
        assert refusal.status_code == 404
        assert refusal.json()["error"]["status"] == "NOT_FOUND"
    assert not Contact.objects.exists()


@pytest.mark.parametrize("character", ["x", "ü", "🦊"])
def test_metadata_has_1024_characters_however_many_bytes_they_take(client, project, character):
    longest = character * 1024

    assert create(client, project, metadata=longest).json()["metadata"] == longest
    assert_refused(create(client, project, metadata=longest + "x"), "metadata", "1024")
    assert Contact.objects.count() == 1


@pytest.mark.parametrize(("field", "longest"), [("display_name", 255), ("email", 320), ("external_id", 255)])
def test_texts_have_their_limits(client, project, field, longest):
    assert create(client, project, **{field: "🦊" * longest}).status_code == 200
    assert_refused(create(client, project, **{field: "x" * (longest + 1)}), field, str(longest))


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("display_name", 7, "display_name"),
        ("email", [], "email"),
        ("external_id", {}, "external_id"),
        ("metadata", {"a": 1}, "metadata"),
        ("language", "KLINGON", "language"),
        ("language", 7, "language"),
        ("language", ["EN"], "language"),
        ("channel_priority", "SMS", "channel_priority"),
        ("channel_priority", ["SMS", "FAX"], "channel_priority[1]"),
        ("channel_priority", ["SMS", "SMS"], "channel_priority"),
        ("channel_identities", {}, "channel_identities"),
        ("channel_identities", [SMS] * 101, "channel_identities"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_its_place(client, project, field, value, place):
    assert_refused(create(client, project, **{field: value}), place)
    assert not Contact.objects.exists()


def test_a_change_without_a_mask_touches_what_is_sent(client, project):
    contact = make_contact(project, (Channel.SMS, "46700000001"), display_name="Old", email="old@example.com")

    answer = patch(client, contact, {"display_name": "New", "id": "ignored"})

    assert answer.status_code == 200
    assert answer.json()["id"] == contact.id
    assert answer.json()["display_name"] == "New"
    assert answer.json()["email"] == "old@example.com"
    assert answer.json()["channel_identities"] == [SMS | {"app_id": ""}]
    assert client.get(path(project, f"contacts/{contact.id}")).json() == answer.json()


def test_a_change_with_a_mask_touches_what_it_names(client, project):
    contact = make_contact(project, "46700000010", display_name="Old", email="old@example.com", metadata="m")

    answer = patch(
        client, contact, {"display_name": "New", "email": None}, "?update_mask=email%2Cmetadata"
    ).json()

    assert (answer["display_name"], answer["email"], answer["metadata"]) == ("Old", "", "")


def test_identities_are_replaced_whole_in_the_order_given(client, project):
    contact = make_contact(project, (Channel.SMS, "46700000001"), (Channel.MMS, "46700000001"))
    wanted = [
        {"channel": "TELEGRAM", "identity": "fox", "app_id": ""},
        {"channel": "SMS", "identity": "46700000001", "app_id": ""},
    ]

    answer = patch(client, contact, {"channel_identities": wanted})

    assert answer.json()["channel_identities"] == wanted
    assert client.get(path(project, f"contacts/{contact.id}")).json()["channel_identities"] == wanted


def test_a_contact_cannot_lose_its_last_identity(client, project):
    contact = make_contact(project, "46700000010")

    assert_refused(patch(client, contact, {"channel_identities": []}), "channel_identities", "at least one")
    assert_refused(patch(client, contact, {}, "?update_mask=channel_identities"), "channel_identities")
    assert contact.identities.count() == 1


def test_what_is_read_can_be_written_back_even_when_an_identitys_app_is_gone(client, project):
    app = make_app(project)
    contact = make_contact(project, (Channel.MESSENGER, "psid", app))
    app.deleted_at = timezone.now()
    app.save()
    whole = client.get(path(project, f"contacts/{contact.id}")).json()

    assert patch(client, contact, whole).json() == whole


def test_a_refused_change_changes_nothing(client, project):
    contact = make_contact(project, (Channel.SMS, "46700000001"), display_name="Old")

    body = {"display_name": "New", "metadata": "x" * 1025, "channel_identities": [SMS, SMS]}
    assert patch(client, contact, body).status_code == 400
    assert_refused(patch(client, contact, {"display_name": "New"}, "?update_mask=nick_name"), "update_mask")

    contact.refresh_from_db()
    assert contact.display_name == "Old"
    assert contact.identities.count() == 1


def test_a_deleted_contact_is_gone(client, project):
    contact = make_contact(project, "46700000010")

    answer = client.delete(path(project, f"contacts/{contact.id}"))

    assert answer.status_code == 200
    assert answer.json() == {}
    assert client.get(path(project, f"contacts/{contact.id}")).status_code == 404
    assert client.delete(path(project, f"contacts/{contact.id}")).status_code == 404
    assert not ChannelIdentity.objects.exists()


def test_a_contact_of_another_project_does_not_exist(project):
    contact = make_contact(project, "46700000010")
    stranger = make_project()
    theirs = api_client(stranger)

    for contact_id in (contact.id, ids.ulid(), "nonsense", contact.id.lower(), contact.id + ":merge2"):
        url = path(stranger, f"contacts/{contact_id}")
        for refusal in (
            theirs.get(url),
            theirs.patch(url, {"email": "x"}, format="json"),
            theirs.delete(url),
        ):
            assert refusal.status_code == 404
            assert refusal.json()["error"]["status"] == "NOT_FOUND"
    contact.refresh_from_db()
    assert contact.email == ""


def test_a_wrong_method_is_unimplemented(client, project):
    contact = make_contact(project, "46700000010")

    for refusal in (
        client.put(path(project, f"contacts/{contact.id}"), {}, format="json"),
        client.delete(path(project, "contacts")),
        client.options(path(project, "contacts")),
    ):
        assert refusal.status_code == 501
        assert refusal.json()["error"]["status"] == "UNIMPLEMENTED"
