"""Hosting: a Celery worker of the queue "outbox" runs one dispatcher beside its tasks."""

from celery import Celery

QUEUE = "outbox"


def install(app: Celery) -> None:
    """Let the workers of this Celery app that consume the queue "outbox" host a dispatcher each.

    Start them with `celery -A portal worker -Q outbox --pool threads -c 1`; more workers, more dispatchers.
    """
    # By name: a Celery app is made before Django's models can be imported.
    app.steps["worker"].add("outbox.dispatching.bootstep:DispatcherStep")
