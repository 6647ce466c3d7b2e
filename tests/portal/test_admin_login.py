"""Getting in: the second factor, recovery codes, and the lock after too many tries."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests import factories
from tests.portal.pages import login

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"


@pytest.fixture
def user():
    return factories.make_user(factories.make_project())


def try_to_log_in(client, user, **fields):
    return client.post(LOGIN, {"username": user.username, "password": factories.PASSWORD, **fields})


def enrol(user) -> list[str]:
    """Set up a second factor as a person does. Returns the recovery codes."""
    client = login(user)
    client.get(reverse("admin:security"))
    page = client.post(reverse("admin:security"), {"code": code_of(user)}).content.decode()
    codes = re.findall(r"<li><code>([0-9a-f]{6}-[0-9a-f]{6})</code></li>", page)
    # What has just been shown once must not be asked for again: the same code opens nothing twice.
    TOTPDevice.objects.update(last_t=-1)
    return codes


def code_of(user) -> str:
    return f"{totp(TOTPDevice.objects.get(user=user).bin_key):06}"


def test_a_password_opens_the_portal(client, user):
    assert try_to_log_in(client, user).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_the_root_leads_to_the_portal(client):
    assert client.get("/")["Location"] == "/admin/"


def test_a_second_factor_is_asked_for_once_it_is_set_up(client, user):
    enrol(user)

    assert "Enter the code of your second factor." in try_to_log_in(client, user).content.decode()
    assert client.get("/admin/").status_code == 302
    assert try_to_log_in(client, user, otp_token=code_of(user)).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_a_wrong_code_does_not_open_the_portal(client, user):
    enrol(user)
    wrong = f"{(int(code_of(user)) + 1) % 1_000_000:06}"

    assert "The code is wrong" in try_to_log_in(client, user, otp_token=wrong).content.decode()
    assert client.get("/admin/").status_code == 302


def test_a_recovery_code_opens_the_portal_once(client, user):
    codes = enrol(user)

    assert len(set(codes)) == 10
    assert try_to_log_in(client, user, otp_token=codes[3]).status_code == 302
    client.post(reverse("admin:logout"))
    assert "The code is wrong" in try_to_log_in(client, user, otp_token=codes[3]).content.decode()


def test_a_wrong_first_code_sets_nothing_up(user):
    client = login(user)
    client.get(reverse("admin:security"))

    page = client.post(reverse("admin:security"), {"code": "000000"}).content.decode()

    assert "This is not the code" in page
    assert not TOTPDevice.objects.filter(confirmed=True).exists()


def test_the_second_factor_is_switched_off_with_the_password(user):
    enrol(user)
    client = login(user)

    assert (
        "This is not your password"
        in client.post(reverse("admin:security"), {"password": "no"}).content.decode()
    )
    client.post(reverse("admin:security"), {"password": factories.PASSWORD})

    assert not TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def test_after_five_wrong_passwords_the_login_is_locked_for_a_while(client, user):
    for _ in range(5):
        client.post(LOGIN, {"username": user.username, "password": "wrong"})

    response = try_to_log_in(client, user)

    assert response.status_code == 429
    assert "It opens again by itself 15 minutes after" in response.content.decode()
    assert client.get("/admin/").status_code == 302


def test_wrong_codes_count_towards_the_lock(client, user):
    enrol(user)
    for _ in range(5):
        try_to_log_in(client, user, otp_token="abcdef-000000")

    assert try_to_log_in(client, user, otp_token=code_of(user)).status_code == 429


def test_a_user_name_too_long_to_be_one_is_refused_at_its_field(client, db):
    page = client.post(LOGIN, {"username": "x" * 300, "password": "wrong"})

    assert page.status_code == 200
    assert "username" in page.context["form"].errors


def test_somebody_who_is_no_staff_is_refused(client):
    user = factories.make_user(is_staff=False)

    assert "errornote" in try_to_log_in(client, user).content.decode()
