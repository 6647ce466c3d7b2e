import base64
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from projects import rotating, sealing
from projects.models import App, ChannelCredential
from projects.sealing import CannotUnseal, Sealed, seal, unseal
from tests.factories import make_app, make_webhook

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (251, 1))


def test_a_sealed_secret_opens_in_its_place():
    sealed = seal("s3cr3t-Ünï", place="app.secret.1")

    assert "s3cr3t" not in sealed
    assert unseal(sealed, place="app.secret.1") == "s3cr3t-Ünï"


def test_the_same_secret_never_looks_the_same():
    assert seal("secret", place="here") != seal("secret", place="here")


def test_a_secret_does_not_open_in_another_place():
    sealed = seal("secret", place="app.secret.1")

    with pytest.raises(CannotUnseal, match=r"app\.secret\.2"):
        unseal(sealed, place="app.secret.2")


def test_an_altered_secret_does_not_open():
    sealed = seal("secret", place="here")
    altered = [
        sealed[:-3] + ("AAA" if sealed[-3:] != "AAA" else "BBB"),
        sealed[:-8],
        "v1:00000000:AAAA",
        "plain",
        "v1:x",
    ]

    for text in altered:
        with pytest.raises(CannotUnseal):
            unseal(Sealed(text), place="here")


def test_an_empty_secret_stays_empty():
    assert seal("", place="here") == ""
    assert unseal(Sealed(""), place="here") == ""


def test_an_older_key_still_opens_and_the_newest_seals(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    sealed = seal("secret", place="here")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    assert unseal(sealed, place="here") == "secret"
    assert not sealing.is_current(sealed)
    assert sealing.is_current(seal("secret", place="here"))


def test_without_its_key_a_secret_does_not_open(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    sealed = seal("secret", place="here")
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    with pytest.raises(CannotUnseal):
        unseal(sealed, place="here")


def test_a_key_may_be_written_in_either_alphabet_of_base64(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    sealed = seal("secret", place="here")
    assert "/" in OLD or "+" in OLD

    settings.FIELD_ENCRYPTION_KEYS = [OLD.replace("+", "-").replace("/", "_")]

    assert unseal(sealed, place="here") == "secret"


@pytest.mark.django_db
def test_the_table_holds_no_secret_in_clear():
    app = make_app(callback_secret="in-clear-never")

    with connection.cursor() as cursor:
        cursor.execute("SELECT callback_secret FROM projects_app")
        stored = [text for (text,) in cursor.fetchall()]
        cursor.execute('SELECT "values" FROM projects_channelcredential')
        stored += [text for (text,) in cursor.fetchall()]

    assert all(text.startswith("v1:") for text in stored)
    assert App.objects.get(pk=app.pk).callback_secret == "in-clear-never"
    assert ChannelCredential.objects.get().values["token"] == "a-token-of-enough-length"


@pytest.mark.django_db
def test_a_secret_copied_to_another_row_does_not_open_there():
    mine, theirs = make_app(callback_secret="mine", channels=[]), make_app(channels=[])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE projects_app SET callback_secret ="
            " (SELECT callback_secret FROM projects_app WHERE id = %s)",
            [App._meta.pk.get_prep_value(mine.pk)],
        )

    assert App.objects.get(pk=mine.pk).callback_secret == "mine"
    with pytest.raises(CannotUnseal):
        App.objects.get(pk=theirs.pk).callback_secret  # noqa: B018 -- reading it is the act


@pytest.mark.django_db
def test_saving_something_else_leaves_a_secret_alone():
    app = make_app(callback_secret="secret")

    for row in (App.objects.get(pk=app.pk), App.objects.defer("callback_secret").get(pk=app.pk)):
        row.display_name = "Renamed"
        row.save()

    assert App.objects.get(pk=app.pk).callback_secret == "secret"


@pytest.mark.django_db
def test_a_secret_cannot_be_written_past_its_sealing():
    make_app()

    with pytest.raises(TypeError, match="is a secret"):
        App.objects.update(callback_secret="in clear")


@pytest.mark.django_db
def test_rotation_moves_every_secret_of_every_room_to_the_newest_key(settings, monkeypatch):
    monkeypatch.setattr(rotating, "BATCH", 2)
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    apps = [make_app(callback_secret=f"secret {number}") for number in range(3)]
    webhook = make_webhook(apps[0], secret="webhook secret")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    out = StringIO()

    call_command("rotate_keys", stdout=out)

    assert "7 rows" in out.getvalue()  # three apps, their credentials, a webhook
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert [App.objects.get(pk=app.pk).callback_secret for app in apps] == [
        "secret 0",
        "secret 1",
        "secret 2",
    ]
    assert {row.values["token"] for row in ChannelCredential.objects.all()} == {"a-token-of-enough-length"}
    webhook.refresh_from_db()
    assert webhook.secret == "webhook secret"
    assert rotating.rotate() == 0


@pytest.mark.django_db
def test_rotation_says_which_secret_no_key_opens(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    app = make_app(callback_secret="secret", channels=[])
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    with pytest.raises(CommandError, match=f"projects_app.callback_secret.{app.pk}"):
        call_command("rotate_keys")
