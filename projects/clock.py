"""The database's clock: the one time that every machine of the house agrees on."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)


def now() -> datetime:
    """The moment, to the microsecond. Doors read it once and pass it on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment
