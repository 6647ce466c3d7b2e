"""A Celery worker of the queue "outbox" hosts a dispatcher, whatever its broker does."""

from __future__ import annotations

import signal
from uuid import uuid4

import pytest
from django.conf import settings

from outbox import entries
from outbox.models import Entry, Lane
from tests.outbox.dispatchers import eventually
from tests.outbox.processes import running

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = ["celery", "-A", "tests.outbox.hosted", "worker", "--pool", "threads", "-c", "1", "-l", "WARNING"]


@pytest.mark.parametrize("redis_url", [settings.REDIS_URL, "redis://127.0.0.1:1/0"], ids=["up", "down"])
def test_a_worker_sends_and_stops_cleanly_whether_redis_is(redis_url, receiver):
    entries.put("parcels", [(uuid4(), uuid4()) for _ in range(10)])

    with running(*WORKER, "-Q", "outbox", REDIS_URL=redis_url, RECEIVER_URL=receiver.url) as worker:
        assert eventually(lambda: not Entry.objects.exists(), within=30)
        worker.send_signal(signal.SIGTERM)
        worker.wait(15)

    assert len(receiver.paths) == 10
    assert not Lane.objects.exclude(lease_until=None).exists()


def test_a_worker_of_another_queue_hosts_none(receiver):
    entries.put("parcels", [(uuid4(), uuid4())])

    with running(*WORKER, "-Q", "celery", RECEIVER_URL=receiver.url):
        assert not eventually(lambda: bool(receiver.paths), within=4)
