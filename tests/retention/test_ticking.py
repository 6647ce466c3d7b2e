"""A clock that was set forward is not believed before somebody has looked at it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from retention import purging
from retention.deleting.ticking import Watch
from retention.models import PurgeOverride
from tests.factories import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def watch() -> Watch:
    """One that has seen both clocks."""
    watch = Watch()
    watch.trusts(NOW, at=100.0)
    return watch


def test_a_clock_that_goes_on_as_time_does_is_trusted(watch: Watch) -> None:
    assert watch.trusts(NOW + HOUR, at=3700.0)


@pytest.mark.parametrize(("told", "is_trusted"), [(NOW + HOUR / 12, True), (NOW + HOUR, False)])
def test_a_leap_of_more_than_five_minutes_is_not(watch: Watch, told: datetime, is_trusted: bool) -> None:
    assert watch.trusts(told, at=101.0) is is_trusted


def test_it_stays_mistrusted_until_somebody_overrides(watch: Watch) -> None:
    assert not watch.trusts(NOW + HOUR, at=101.0)
    assert not watch.trusts(NOW + HOUR, at=102.0)

    PurgeOverride.objects.create(
        why="the clock was slow", moment=NOW, run_by="an operator", run_at=NOW + HOUR
    )

    assert watch.trusts(NOW + HOUR, at=103.0)


def test_a_run_goes_on_where_the_clock_does(now: datetime) -> None:
    assert purging.run(now=now).messages == 0
    assert purging.run(now=now).messages == 0
