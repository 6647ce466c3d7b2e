"""What a policy would delete, counted before anybody sets it, and never for longer than two seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db.models import Count, Exists, Func, IntegerField, OuterRef, Value

from conversations.models import Conversation
from projects.models import App
from retention import due
from retention.deciding import ruling
from retention.deciding.ruling import Policy
from retention.due import Due
from retention.watching import Figure, Watch

SECONDS: Final = 2.0  # for all of a preview; portal reference 3, "time-boxed with at least N"
AHEAD: Final = (7, 30)  # days of the forecast
SAMPLE: Final = 5  # conversations to open
LOOKED_UP: Final = 50_000  # messages of conversations, at most
NONE: Final = Figure()


@dataclass(frozen=True, slots=True)
class Amount:
    """How much goes; messages include those that go with their conversation."""

    messages: Figure = NONE
    conversations: Figure = NONE

    @property
    def total(self) -> Figure:
        """Messages and whole conversations together: what is typed back."""
        return self.messages + self.conversations

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.messages + other.messages, self.conversations + other.conversations)

    def __bool__(self) -> bool:
        return bool(self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a policy would delete of an app, as of a moment."""

    policy: Policy
    as_of: datetime
    cutoff: datetime | None  # what was accepted before goes; None: nothing goes
    present: Amount
    ahead: Mapping[int, Amount]  # by days from now: what will have become due by then
    newly: Amount  # what is not due under the policy in force
    spared: Amount  # what is due under that one, and not under this
    held: Amount  # what would be due, did a legal hold not keep it
    oldest: (
        datetime | None
    )  # of what is due: when it was accepted, of a conversation when its last message was
    newest: datetime | None
    # Messages that are due, by the month in which they were accepted and by channel; empty too when the time was over,
    # or would be.
    months: Sequence[tuple[date, int]]
    channels: Sequence[tuple[str, int]]
    sample: Sequence[Conversation]

    @property
    def a_day(self) -> int:
        """How many messages become due on a day of the next month, about."""
        last = max(AHEAD)
        return round((self.ahead[last].messages.number - self.present.messages.number) / last)


def preview(policy: Policy, app: App, *, at: datetime, seconds: float = SECONDS) -> Preview:
    """What the policy, were it in force, would delete. What is most wanted is counted first."""
    watch = Watch(seconds)
    part, ruling_part = due.by(policy, app, at=at), _in_force(policy, app, at=at)
    new = _beyond(part, ruling_part, watch)
    months = watch.ask(lambda: _months(part))
    present = _present(part, months, watch)
    ahead, until, amount = {}, part, present
    for days in AHEAD:
        then = due.by(policy, app, at=at + timedelta(days=days))
        amount, until = amount + _measured(watch, _after(until, then)), then
        ahead[days] = amount
    return Preview(
        policy=policy,
        as_of=at,
        cutoff=policy.cutoff(at),
        present=present,
        ahead=ahead,
        newly=present if new is None else new,
        spared=_spared(ruling_part, part, watch),
        held=Amount() if part.held is None else _measured(watch, replace(part, rows=part.held)),
        oldest=watch.ask(lambda: _first(part, part.age)),
        newest=watch.ask(lambda: _first(part, f"-{part.age}")),
        sample=watch.ask(lambda: _sample(part)) or [],
        months=months or [],
        channels=_channels(part, present, watch),
    )


def newly(policy: Policy, app: App, *, at: datetime, seconds: float = SECONDS) -> Amount:
    """What is due under the policy and not under the one in force."""
    watch = Watch(seconds)
    part = due.by(policy, app, at=at)
    new = _beyond(part, _in_force(policy, app, at=at), watch)
    return _measured(watch, part) if new is None else new


def takes_new_events(policy: Policy, app: App, *, at: datetime) -> bool:
    """Whether events are due under the policy that are not under the one in force. Nobody counts them."""
    ruled = ruling.in_force(app=app, scope=policy.scope, at=at)
    events, going = due.events_by(policy, app, at=at), due.by(ruled, app, at=at)
    if going.takes_conversations:
        return events.rows.filter(~Exists(going.rows.filter(pk=OuterRef("conversation")))).exists()
    already = due.events_by(ruled, app, at=at)
    return (events if already.rows.query.is_empty() else _after(already, events)).rows.exists()


def _in_force(policy: Policy, app: App, *, at: datetime) -> Due:
    return due.by(ruling.in_force(app=app, scope=policy.scope, at=at), app, at=at)


def _beyond(one: Due, other: Due, watch: Watch) -> Amount | None:
    """What is due of the one and not of the other; None: all of it."""
    if other.rows.query.is_empty():
        return None
    if other.rows.model is one.rows.model:  # the same age decides, so a look at one index does
        return _measured(watch, _after(other, one))
    if one.takes_conversations:
        younger = one.messages().filter(accept_time__gte=other.cutoff)
        return Amount(watch.count(younger), watch.count(one.conversations()))
    going = Exists(other.rows.filter(pk=OuterRef("conversation")))
    return Amount(watch.count(one.messages().filter(~going)))


def _spared(old: Due, new: Due, watch: Watch) -> Amount:
    """What only the old one takes."""
    only = _beyond(old, new, watch)
    return _measured(watch, old) if only is None else only


def _present(part: Due, months: Sequence[tuple[date, int]] | None, watch: Watch) -> Amount:
    """All that is due: counted by month already, or else as far as the time goes."""
    if months is None:
        return _measured(watch, part)
    messages = Figure(sum(number for _, number in months))
    return Amount(messages, watch.count(part.conversations()))


def _after(earlier: Due, later: Due) -> Due:
    """The rows that are due later and not yet earlier, where the same age decides."""
    return replace(later, rows=later.rows.filter(**{f"{later.age}__gte": earlier.cutoff}))


def _months(part: Due) -> list[tuple[date, int]]:
    """Messages by the first day of their month, the oldest first. An index alone knows."""
    months = _months_until(part.cutoff)
    # To look a moment up in a list costs a third of truncating it.
    place = Func("accept_time", Value(months), function="width_bucket", output_field=IntegerField())
    counted = part.messages().order_by().values_list(place).annotate(number=Count("*"))
    return [(months[max(place - 1, 0)].date(), number) for place, number in sorted(counted)]


def _months_until(moment: datetime) -> list[datetime]:
    """Their beginnings; what is older than forty years counts as of the first."""
    years = range(moment.year - 40, moment.year + 1)
    return [datetime(year, month, 1, tzinfo=UTC) for year in years for month in range(1, 13)]


def _channels(part: Due, present: Amount, watch: Watch) -> list[tuple[str, int]]:
    """Messages by channel, the most used first; of many conversations none.

    Of single messages an index alone knows; those of conversations are looked up in the table.
    """
    if part.takes_conversations and present.messages.number > LOOKED_UP:
        return []
    counted = part.messages().order_by().values_list("channel").annotate(number=Count("*"))
    rows = watch.ask(lambda: list(counted.order_by("-number", "channel")))
    return [(channel or "no channel", number) for channel, number in rows or []]


def _first(part: Due, order: str) -> datetime | None:
    moment: datetime | None = part.rows.order_by(order).values_list(part.age, flat=True).first()
    return moment


def _sample(part: Due) -> list[Conversation]:
    """Some conversations of which something is due, the longest overdue first."""
    column = "pk" if part.takes_conversations else "conversation"
    oldest = part.rows.order_by(part.age).values_list(column, flat=True)[: 20 * SAMPLE]
    found = list(dict.fromkeys(filter(None, oldest)))[:SAMPLE]
    shown = Conversation.objects.select_related("contact", "app").in_bulk(found)
    return [shown[pk] for pk in found if pk in shown]


def _measured(watch: Watch, part: Due) -> Amount:
    return Amount(watch.count(part.messages()), watch.count(part.conversations()))
