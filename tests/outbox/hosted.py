"""A Celery app whose workers serve parcels: `celery -A tests.outbox.hosted worker -Q outbox …`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

from outbox import hosting, kinds
from tests.outbox.parcels import Parcels

app = Celery("hosted", broker=os.environ["REDIS_URL"].replace("unix://", "redis+socket://", 1))
hosting.install(app)


@worker_init.connect
def register(**_: Any) -> None:
    kinds.register(Parcels(os.environ["RECEIVER_URL"]))
