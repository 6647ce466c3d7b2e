"""The pages of whoever answers for what is kept: holds, runs and their proof, the look-up, privacy requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse

from projects import clock
from retention.models import PrivacyRequest
from retention.privacy import erasing, requests
from tests import factories
from tests.browser.faces import keep, violations

pytestmark = pytest.mark.browser


@pytest.fixture
def erased(world) -> PrivacyRequest:
    """A request that was carried out, with what it took."""
    contact = factories.make_contact(world.project, "46700000019")
    app = factories.make_app(world.project)
    factories.make_message(conversation=factories.make_conversation(app, contact))
    asked = requests.receive(
        contact, kind=PrivacyRequest.Kind.ERASURE, identity_check="a code", now=clock.now()
    )
    user = factories.make_user(world.project)
    return erasing.erase(requests.approve(asked, by=user, now=clock.now()), now=clock.now())


def addresses(world, erased) -> Iterator[tuple[str, str]]:
    run, request, hold = (f"admin:retention_{name}" for name in ("purge", "privacyrequest", "legalhold"))
    ran = world.rows["retention.purge"].pk
    contact = world.rows["contacts.contact"].pk
    for name in (run, request, hold):
        yield name[16:] + "s", reverse(f"{name}_changelist")
    yield "hold", reverse(f"{hold}_change", args=[world.rows["retention.legalhold"].pk])
    yield "hold-new", reverse(f"{hold}_add")
    yield "run", reverse(f"{run}_change", args=[ran])
    yield "certificate", reverse(f"{run}_printed", args=[ran])
    yield "look-up", reverse(f"{run}_look_up") + f"?id={world.rows['conversations.message'].pk}"
    yield "request", reverse(f"{request}_change", args=[world.rows["retention.privacyrequest"].pk])
    yield "request-new", reverse(f"{request}_take_in", args=[contact])
    yield "erased", reverse(f"{request}_change", args=[erased.pk])


def test_pages_of_proof_break_no_rule_and_fit_a_telephone(erased, page, world, complaints):
    broken = {}
    page.set_viewport_size({"width": 390, "height": 800})
    for name, address in addresses(world, erased):
        page.goto(address)

        assert complaints == [], address  # asked before axe, which styles what it measures
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        keep(page, f"compliance-{name}")
        broken[address] = violations(page)
        complaints.clear()

    assert not any(broken.values()), broken
