"""The demo project's people and what they say: everything goes through the flows, on sandboxed channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from contacts import writing
from contacts.models import Contact
from contacts.writing import ScopedIdentity
from conversations.admin import simulating
from conversations.reaching import sending
from gateway.channels import is_sandboxed
from gateway.channels.base import Channel
from projects import credentials
from projects.credentials import Wanted
from projects.models import App, Project

VALUES: Final = {"claimed_identity": "demo", "token": "a-sandbox-takes-any-token"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to talk to; the last two digits of the number say how the sandbox behaves."""

    name: str
    number: str
    told: Sequence[str]
    says: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Business:
    """An app with its people. Channels that the sandbox does not serve are left out."""

    app: str
    channels: Sequence[Channel]
    people: Sequence[Person]


BUSINESSES: Final = (
    Business(
        "Corner bakery",
        (Channel.SANDBOX,),
        (
            Person("Ada Lindqvist", "46700000102", ["Your cake is ready. We are open until six."],
                   ["Great, I will be there at five!", "Do you take cards?"]),
            Person("Bruno Keller", "46700000208", ["Rye or wheat for your order of tomorrow?"], ["Hello?"]),
            Person("Chidi Okafor", "46700000301", ["Fresh cinnamon rolls from seven tomorrow."]),
            Person("Dana Weiss", "46700000404", ["Your order no. 118 is in the oven."]),
            Person("Emre Yilmaz", "46700000505", ["We kept your bread. Come by when you can."]),
        ),
    ),
    Business(
        "Night train",
        (Channel.RCS, Channel.SMS, Channel.SANDBOX),
        (
            Person("Freya Holm", "46700000606", ["Boarding for coach 12 begins at 21:40."], ["Which platform?"]),
            Person("Gabriel Santos", "46700000703", ["Your train leaves 15 minutes late."]),
            Person("Hana Sato", "46700000802", ["Good night! Breakfast is at 7."], ["Coffee with milk, please."]),
        ),
    ),
)  # fmt: skip


@transaction.atomic
def fill(project: Project, *, now: datetime) -> int:
    """Make what is missing of the demo. Returns how many apps were made; 0: all of it was there."""
    Project.objects.select_for_update().get(pk=project.pk)  # one at a time
    known = set(App.objects.living().filter(project=project).values_list("display_name", flat=True))
    missing = [business for business in BUSINESSES if business.app not in known]
    for business in missing:
        _open(business, project, now)
    return len(missing)


def _open(business: Business, project: Project, now: datetime) -> None:
    app = App.objects.create(project=project, display_name=business.app)
    channels = [channel for channel in business.channels if is_sandboxed(channel)]
    credentials.replace(app, [Wanted(channel=one, key="static_bearer", values=VALUES) for one in channels])
    for person in business.people:
        identities = [ScopedIdentity(channel, person.number) for channel in channels]
        fields: dict[str, Any] = {"display_name": person.name}
        contact = writing.create(project_id=project.pk, identities=identities, fields=fields, now=now)
        _talk(app, contact, person, now)


def _talk(app: App, contact: Contact, person: Person, now: datetime) -> None:
    """They greet each other in turns."""
    for text in person.told:
        draft = sending.Draft(content={"text_message": {"text": text}})
        sending.send(app=app, recipient=sending.Recipient(contact=contact), draft=draft, now=now)
    for text in person.says:
        identity, credential = next(pair for pair in simulating.pairs(contact) if pair[1].app_id == app.pk)
        simulating.write(identity, credential, text, now=now)
