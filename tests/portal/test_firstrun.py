"""What `make run` tells a newcomer, and what it keeps."""

import stat

import pytest

from portal.running import firstrun
from projects import keys
from projects.models import AccessKey, Membership, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def test_an_empty_database_gets_an_administrator_and_a_project_with_a_key():
    told: list[str] = []

    facts = firstrun.welcome(tell=told.append)

    assert User.objects.get(username="admin", is_superuser=True).check_password(facts["password"])
    assert Membership.objects.get().role == "ADMIN"
    assert keys.identify(facts["key_id"], facts["key_secret"]).project_id == facts["project_id"]
    assert stat.S_IMODE(firstrun.path().stat().st_mode) == 0o600
    assert len(told) == 2


def test_the_second_time_nothing_is_made():
    first = firstrun.welcome(tell=print)

    assert firstrun.welcome(tell=pytest.fail) == first


def test_a_password_of_the_administrators_own_is_not_told():
    firstrun.welcome(tell=print)
    admin = User.objects.get()
    admin.set_password("my own, and nobody else's")
    admin.save()

    assert "password" not in firstrun.welcome(tell=print)


def test_when_the_file_is_gone_a_new_key_is_made_and_said_so():
    first = firstrun.welcome(tell=print)
    firstrun.path().unlink()
    told: list[str] = []

    second = firstrun.welcome(tell=told.append)

    assert second["project_id"] == first["project_id"]
    assert second["key_id"] != first["key_id"]
    assert AccessKey.objects.count() == 2
    assert len(told) == 2
    assert f"still valid ({first['key_id']})" in told[1]


def test_a_database_made_anew_does_not_inherit_an_old_file():
    firstrun.path().write_text('{"project_id": "00000000-0000-0000-0000-000000000000", "password": "old"}')

    facts = firstrun.welcome(tell=print)

    assert facts["password"] != "old"
    assert facts["key_secret"]
