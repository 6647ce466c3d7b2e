"""A dispatcher in a process of its own, to be killed: `python -m tests.outbox.worker URL LEASE_SECONDS`."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

import django


def main(url: str, lease_seconds: float) -> None:
    django.setup()
    # After the setup, as models may not be imported before it.
    from outbox import kinds  # noqa: PLC0415 -- Django is set up only now
    from outbox.dispatching.bootstep import DispatcherThread  # noqa: PLC0415 -- Django is set up only now
    from outbox.dispatching.limits import Limits  # noqa: PLC0415 -- Django is set up only now
    from tests.outbox.parcels import Parcels  # noqa: PLC0415 -- Django is set up only now

    kinds.register(Parcels(url))
    lease = timedelta(seconds=lease_seconds)
    DispatcherThread(limits=Limits(lease=lease, heartbeat=lease_seconds / 6)).start()
    time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
