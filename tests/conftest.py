"""What every test may ask for; a room's own fixtures are in its folder."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pgtrigger
import pytest
from django.conf import settings


def pytest_configure() -> None:
    """Where production spends time for safety, the suite does not."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        # The manifest exists after `collectstatic` alone.
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    # Stories happen at moments that the real clock leaves further behind each day. Those about what is served
    # switch it on again.
    settings.RETENTION_READ_FILTER = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """After a test that commits, all tables are emptied: those too that otherwise keep their rows."""
    with pgtrigger.ignore():
        return (yield)


@pytest.fixture
def now() -> datetime:
    """The moment at which a story happens."""
    return datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
