"""The Celery app and the house's clock: `celery -A portal worker`, `celery -A portal beat`.

Two kinds of workers: `-Q celery --pool threads -c 2` for the clock's tasks, and
`-Q outbox --pool threads -c 1`, which hosts the long-lived dispatchers of the outbox.
"""

import os
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from outbox import hosting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
hosting.install(app)

# Every task reads the clock and the rows itself: a tick may come twice, late, or never.
app.conf.beat_schedule = {
    "purge what the policies let go": {
        "task": "retention.tasks.purge_due",
        "schedule": timedelta(minutes=10),
    },
    "finish erasures": {"task": "retention.tasks.finish_erasures", "schedule": timedelta(minutes=10)},
    "anchor the purge ledger": {"task": "retention.tasks.anchor_ledger", "schedule": timedelta(hours=1)},
    "count what is due": {"task": "retention.tasks.survey", "schedule": timedelta(minutes=30)},
    "verify the purge ledger": {"task": "retention.tasks.check_ledger", "schedule": timedelta(hours=1)},
    "vacuum after large purges": {"task": "retention.tasks.vacuum", "schedule": timedelta(minutes=10)},
    "remind of owed justifications": {
        "task": "retention.tasks.remind",
        "schedule": timedelta(hours=1),
    },
    "urge that requests be answered": {"task": "retention.tasks.urge", "schedule": timedelta(hours=1)},
    "fail messages without a report": {
        "task": "conversations.tasks.time_out_messages",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},  # a tick that waited is the next tick
    },
    "go on with replays": {
        "task": "webhooks.tasks.advance_replays",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "forget old webhook events": {"task": "webhooks.tasks.forget_old_events", "schedule": timedelta(hours=1)},
    "make room for webhook events": {
        "task": "webhooks.tasks.prepare_partitions",
        "schedule": timedelta(hours=1),
    },
    "forget old mails": {"task": "projects.tasks.forget_mails", "schedule": timedelta(days=1)},
    "forget idempotency keys": {
        "task": "conversations.tasks.forget_idempotency_keys",
        "schedule": timedelta(hours=1),
    },
    "forget the metadata of events": {
        "task": "conversations.tasks.forget_event_metadata",
        "schedule": timedelta(hours=1),
    },
    "sweep the outbox": {"task": "outbox.tasks.sweep", "schedule": timedelta(hours=1)},
    "shrink the outbox": {"task": "outbox.tasks.shrink", "schedule": timedelta(minutes=10)},
}


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Being connected is enough: Celery then leaves `LOGGING` as it is."""
