"""The API beside hand-written views, and beside DRF as it comes: sending, and the lists of messages and contacts.

No worker runs, and no limit of rates: a message waits in the outbox. The reference is served by the same processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from benchmarks import talk, web
from benchmarks.figures import Figure, Goal
from benchmarks.load import Ask, Load
from benchmarks.rounds import Contender, interleaved
from benchmarks.servers import Postgres
from benchmarks.talk import Talk
from benchmarks.web import Web
from contacts.models import Contact
from conversations.models import Message
from projects.requests import paging

_SECONDS: Final = 2.0  # a round of one contender
_PAGE: Final = 1000
_SENDERS: Final = 1000  # contacts that are written to, one after the other
_SMALL: Final = 10_000  # messages
_OURS, _PLAIN, _VIEWSET = "API", "plain view", "ModelViewSet"


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:
    """Sending, both lists at their first page and far back, and what a page costs however many there are."""
    if settings.API_RATE_LIMIT:
        raise RuntimeError("API_RATE_LIMIT would be measured: set it to 0.")
    contacts, messages = (100_000, 10_000_000) if full else (25_000, 300_000)
    small, large = talk.make(contacts=1000, messages=_SMALL), talk.make(contacts=contacts, messages=messages)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    with web.running("benchmarks.wsgi:application") as served:
        yield from _flat(postgres, served, small, large, messages)
        with Load(served.base_url, token=large.token) as load:
            for listing in (_messages(large), _contacts(large)):
                yield from _list(load, listing, number=1)
                yield from _list(load, listing, number=_PAGE)
            yield _send(load, large)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the API, and where a page of it begins."""

    name: str
    project_id: Any
    page_size: int
    rows: QuerySet[Any]  # in the list's order
    key: Sequence[str]  # what its tokens hold

    def page(self, number: int) -> Mapping[str, Ask]:
        """The same page from each contender."""
        token = self.token_after((number - 1) * self.page_size)
        rest = f"{self.project_id}/{self.name}?page_size={self.page_size}"
        return {
            _OURS: Ask(f"/v1/projects/{rest}&page_token={token}"),
            _PLAIN: Ask(f"/v1/plain/{rest}&page_token={token}"),
            _VIEWSET: Ask(f"/v1/viewsets/{rest}&page={number}"),
        }

    def token_after(self, skipped: int) -> str:
        """Of the page that leaves out so many rows."""
        place = f"/v1/projects/{self.project_id}/{self.name}"
        return paging.token(self.rows.values_list(*self.key)[skipped - 1], place=place) if skipped else ""


def _messages(of: Talk) -> Listing:
    rows = Message.objects.filter(project=of.project).order_by("-accept_time", "-id")
    return Listing("messages", of.project.id, 50, rows, ("accept_time", "id"))


def _contacts(of: Talk) -> Listing:
    rows = Contact.objects.filter(project=of.project).order_by("id")
    return Listing("contacts", of.project.id, 20, rows, ("id",))


def _list(load: Load, listing: Listing, *, number: int) -> Iterator[Figure]:
    page = listing.page(number)
    if load.answer(page[_OURS]) != load.answer(page[_PLAIN]):
        raise RuntimeError(f"The two do not give the same {listing.name}.")
    rates = interleaved({name: _rate(load, [ask]) for name, ask in page.items()})
    name, size = f"{listing.name}, page {number}", f"{listing.page_size} a page, 4 clients"
    yield Figure(f"{name}: to the plain view", size, rates.ratio(_OURS, to=_PLAIN), Goal("≥", 0.4))
    yield Figure(f"{name}: to the ModelViewSet", size, rates.ratio(_OURS, to=_VIEWSET), Goal("≥", 2))


def _send(load: Load, to: Talk) -> Figure:
    bodies = [
        orjson.dumps(
            {
                "app_id": to.app.id,
                "recipient": {"contact_id": contact_id},
                "message": {"text_message": {"text": "Your parcel is on its way."}},
            }
        )
        for contact_id in to.contact_ids(_SENDERS)
    ]
    ours, plain = f"/v1/projects/{to.project.id}/messages:send", "/v1/plain/messages:send"
    rates = interleaved(
        {
            _OURS: _rate(load, [Ask(ours, body) for body in bodies]),
            _PLAIN: _rate(load, [Ask(plain, body) for body in bodies]),
        }
    )
    size = "one channel, one webhook, 4 clients"
    return Figure(
        "messages:send: to one statement in a plain view", size, rates.ratio(_OURS, to=_PLAIN), Goal("≥", 0.5)
    )


def _flat(postgres: Postgres, served: Web, small: Talk, large: Talk, messages: int) -> Iterator[Figure]:
    """CPU of server and PostgreSQL together, of a page of many messages over the page of few at the same depth."""

    def cost(of: Talk, number: int) -> Contender:
        ask = _messages(of).page(number)[_OURS]

        def contend() -> float:
            before = postgres.cpu_seconds() + served.cpu_seconds()
            with Load(served.base_url, token=of.token) as load:
                answers = load.answers([ask], seconds=_SECONDS)
            return (postgres.cpu_seconds() + served.cpu_seconds() - before) / answers.count

        return contend

    last = messages // _messages(large).page_size
    for depth, number in {"first": 1, "middle": last // 2, "last": last}.items():
        same = max(1, number * _SMALL // messages)
        costs = interleaved({"few": cost(small, same), "many": cost(large, number)})
        size = f"{messages:,} against {_SMALL:,} messages".replace(",", " ")
        yield Figure(f"messages, {depth} page: CPU", size, costs.ratio("many", to="few"), Goal("≤", 1.1))


def _rate(load: Load, asks: Sequence[Ask]) -> Contender:
    return lambda: load.answers(asks, seconds=_SECONDS).rate
