"""The look-up answers for ids that no batch names, too, although one may seem to."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from projects import ids
from projects.models import App
from retention import purging
from retention.proving import lookup
from retention.proving.lookup import Fate
from tests.factories import make_message

DAY = timedelta(days=1)


def id_of(first_half: int, second_half: int) -> str:
    return ids.from_uuid(UUID(bytes=first_half.to_bytes(8) + second_half.to_bytes(8)))


@pytest.mark.parametrize(
    "never_stored",
    [id_of(2, 0), id_of(2, 3)],
    ids=["between two of a batch", "written across two of a batch"],
)
def test_an_id_that_was_never_stored_is_not_known(app: App, now: datetime, never_stored: str) -> None:
    gone = [make_message(app, pk=id_, accept_time=now - 200 * DAY).pk for id_ in (id_of(1, 2), id_of(3, 0))]
    purging.run(now=now)

    assert lookup.what_became_of(app.project, never_stored).fate == Fate.UNKNOWN

    assert {lookup.what_became_of(app.project, id_).fate for id_ in gone} == {Fate.DELETED}
