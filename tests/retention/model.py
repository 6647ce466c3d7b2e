"""The purge in plain Python: what must be left of a world, said without SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

# A world's moments are ages at the moment of the purge: positive in the past, negative in the future.
Age = timedelta


@dataclass
class Version:
    """A policy version, the oldest first in an app."""

    retention_type: str
    ttl_days: int
    made: Age
    waits: timedelta  # until it takes effect


@dataclass
class Talk:
    """A conversation and the ages of its messages."""

    created: Age
    messages: list[Age]
    newest_ever: Age | None = None  # of messages that are gone already

    def anchor(self) -> Age:
        """Whose age decides whether the whole goes."""
        if self.messages:
            return min(self.messages)
        return self.created if self.newest_ever is None else min(self.created, self.newest_ever)


@dataclass
class Dispatched:
    """A message that stands alone."""

    age: Age
    is_settled: bool


@dataclass
class Hold:
    """A legal hold over an app or one of its conversations, and over messages not older and not as young."""

    talk: int | None  # by its number, as far as there are so many; None: the app
    oldest: Age | None = None
    youngest: Age | None = None

    def reaches(self, age: Age) -> bool:
        """Whether a message of this age lies in its period."""
        return (self.oldest is None or age <= self.oldest) and (self.youngest is None or age > self.youngest)

    def is_without_end(self) -> bool:
        """Whether it has no period."""
        return self.oldest is None and self.youngest is None


@dataclass
class AnApp:
    """An app, and all it keeps."""

    versions: list[Version]
    dispatch_ttl_days: int
    is_deleted: bool
    talks: list[Talk] = field(default_factory=list)
    dispatched: list[Dispatched] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)

    def policy(self) -> tuple[str, int]:
        """In force now: the last that has taken effect and was not replaced while it waited."""
        for number in reversed(range(len(self.versions))):
            version = self.versions[number]
            effective = version.made - version.waits
            replaced = any(later.made > effective for later in self.versions[number + 1 :])
            if effective >= Age(0) and not replaced:
                return version.retention_type, version.ttl_days
        return "MESSAGE_EXPIRE_POLICY", 180

    def ttl(self) -> timedelta:
        """Of messages in conversations."""
        return timedelta(days=self.policy()[1])

    def left_of(self, talk: Talk) -> list[Age] | None:
        """The messages that stay; None when the conversation goes whole."""
        retention_type, _ = self.policy()
        holds = self.holds_over(talk)
        held = [age for age in talk.messages if any(hold.reaches(age) for hold in holds)]
        is_held = bool(held) or any(hold.is_without_end() for hold in holds)
        if self.is_deleted:
            return held if is_held else None
        if retention_type == "MESSAGE_EXPIRE_POLICY":
            return [age for age in talk.messages if age <= self.ttl() or age in held]
        if retention_type == "CONVERSATION_EXPIRE_POLICY" and talk.anchor() > self.ttl():
            return talk.messages if is_held else None
        return talk.messages

    def holds_over(self, talk: Talk | None) -> list[Hold]:
        """Those that cover the conversation, or with none what stands alone."""
        names = [
            None if hold.talk is None else self.talks[hold.talk % len(self.talks)] for hold in self.holds
        ]
        return [hold for hold, name in zip(self.holds, names, strict=True) if name is None or name is talk]

    def keeps(self, message: Dispatched) -> bool:
        """Whether a message that stands alone stays."""
        if any(hold.reaches(message.age) for hold in self.holds_over(None)):
            return True
        if self.is_deleted:
            return False
        return not message.is_settled or message.age <= timedelta(days=self.dispatch_ttl_days)

    def has_a_row_on_the_boundary(self) -> bool:
        """Whether a message or conversation is exactly as old as the TTL."""
        ages = [age for talk in self.talks for age in [talk.anchor(), *talk.messages]]
        return self.ttl() in ages
