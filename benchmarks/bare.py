"""Bare loops: nothing but signed requests, as fast as a client of this machine can send them.

`python -m benchmarks.bare aiohttp URL COUNT` prints the requests a second.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any, Final

from benchmarks import letters
from benchmarks.sink import HERE

WIDTH: Final = 128  # requests in flight, as many as a dispatcher's
ENDPOINTS: Final = 100


Letters = Iterator[tuple[str, bytes]]  # where to, and what


def letters_to(url: str, count: int) -> Letters:
    """So many, made beforehand: a dispatcher finds its own in the database."""
    paths = islice(cycle(range(ENDPOINTS)), count)
    return iter([(f"{url}/ok/{path}", letters.body(mark)) for mark, path in enumerate(paths)])


def by_pycurl(left: Letters, count: int) -> None:
    """libcurl's multi interface, with its connections kept."""
    import pycurl  # noqa: PLC0415 -- the peers' Python has none

    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, WIDTH)

    def start(curl: Any) -> None:
        for target, content in islice(left, 1):
            curl.setopt(pycurl.URL, target)
            lines = [f"{name}: {value}" for name, value in letters.headers(content).items()]
            curl.setopt(pycurl.HTTPHEADER, [*lines, "Expect:"])
            curl.setopt(pycurl.POSTFIELDS, content)
            multi.add_handle(curl)

    curls = [pycurl.Curl() for _ in range(WIDTH)]
    for curl in curls:
        curl.setopt(pycurl.WRITEFUNCTION, lambda _: None)
        start(curl)
    done = 0
    while done < count:
        multi.perform()
        _, answered, failed = multi.info_read(WIDTH)
        if failed:
            raise ConnectionError(failed[0][2])
        for curl in answered:
            multi.remove_handle(curl)
            start(curl)
        done += len(answered)
        if not answered:
            multi.select(1.0)


def by_aiohttp(left: Letters, _count: int) -> None:
    """aiohttp on uvloop, one session."""
    import aiohttp  # type: ignore[import-not-found]  # noqa: PLC0415 -- only the peers' Python has it
    import uvloop  # noqa: PLC0415 -- as above

    async def work(session: Any) -> None:
        for target, content in left:
            async with session.post(target, data=content, headers=letters.headers(content)) as answer:
                await answer.read()

    async def work_off() -> None:
        connector = aiohttp.TCPConnector(limit=WIDTH)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(work(session) for _ in range(WIDTH)))

    uvloop.run(work_off())


LOOPS: Final[dict[str, Callable[[Letters, int], None]]] = {"pycurl": by_pycurl, "aiohttp": by_aiohttp}


def main(name: str, url: str, count: int) -> None:
    """Run one of them on the dispatcher's core and print its requests a second."""
    os.sched_setaffinity(0, {HERE})
    left = letters_to(url, count)
    started = time.perf_counter()
    LOOPS[name](left, count)
    print(count / (time.perf_counter() - started))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
