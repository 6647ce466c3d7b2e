"""With procrastinate: a delivery is a job, made by aiohttp in the worker's own loop."""

from __future__ import annotations

from functools import cache
from typing import Any

import aiohttp  # type: ignore[import-not-found]
import procrastinate  # type: ignore[import-not-found]

from benchmarks import letters
from benchmarks.bare import letters_to

app = procrastinate.App(connector=procrastinate.PsycopgConnector())


@app.task  # type: ignore[untyped-decorator]  # of the peers' Python
async def deliver(target: str, text: str) -> None:
    """Sign and send it."""
    content = text.encode()
    async with _session().post(target, data=content, headers=letters.headers(content)) as answer:
        answer.raise_for_status()


@cache
def _session() -> Any:
    return aiohttp.ClientSession()


def fill(url: str, count: int) -> None:
    """Queue them in one go."""
    with app.open():
        if not app.check_connection():
            app.schema_manager.apply_schema()
        jobs = [{"target": target, "text": content.decode()} for target, content in letters_to(url, count)]
        deliver.batch_defer(*jobs)
