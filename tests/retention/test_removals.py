"""A contact that is deleted or merged away leaves a row that says so, and names nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from contacts.models import Contact
from conversations import merging
from projects.models import App, Role
from retention.models import ContactRemoval, PrivacyRequest
from retention.privacy import erasing, requests
from retention.proving import lookup
from retention.proving.lookup import Fate
from tests.factories import api_client, make_contact, make_conversation, make_project, make_user, path


def test_a_contact_that_a_client_deletes_is_on_record_with_the_key(app: App) -> None:
    api = api_client(app.project)
    contact = make_contact(app.project, "46700000010", "46700000011", display_name="Ada")

    assert api.delete(path(app.project, f"contacts/{contact.id}")).status_code == 200

    answer = lookup.what_became_of(app.project, contact.id)
    assert answer.fate == Fate.DELETED
    assert answer.removal
    assert (answer.removal.identities, answer.removal.merged_into_id) == (2, None)
    assert answer.deleted_by.startswith("API key")
    assert answer.deleted_at == answer.removal.removed_at
    assert lookup.what_became_of(make_project(), contact.id).fate == Fate.UNKNOWN


def test_a_contact_that_is_merged_away_is_on_record_with_the_one_that_has_all_it_had(app: App) -> None:
    api = api_client(app.project)
    kept, source = make_contact(app.project, "46700000010"), make_contact(app.project, "46700000011")

    answer = api.post(path(app.project, f"contacts/{kept.id}:merge"), {"source_id": source.id}, format="json")

    assert answer.status_code == 200
    removal = ContactRemoval.objects.get()
    assert (removal.contact_id, removal.merged_into_id, removal.identities) == (source.id, kept.id, 1)
    assert lookup.what_became_of(app.project, kept.id).fate == Fate.PRESENT


def test_a_contact_that_is_deleted_in_the_portal_is_on_record_with_the_person(app: App, client: Any) -> None:
    ada = make_user(app.project, Role.ADMIN, first_name="Ada", last_name="Lovelace")
    client.force_login(ada)
    contact = make_conversation(app).contact
    assert contact

    client.post(reverse("admin:contacts_contact_delete", args=[contact.pk]), {"post": "yes"})

    page = client.get(reverse("admin:retention_purge_look_up"), {"id": contact.pk}).content.decode()
    assert "deleted on" in " ".join(page.split())
    assert "by Ada Lovelace" in page


def test_a_contact_that_was_erased_is_found_by_its_request(
    app: App, now: datetime, settings: Any, tmp_path: Any
) -> None:
    settings.ERASURE_RECORD = tmp_path / "erasures.jsonl"
    contact = make_contact(app.project, "46700000010")
    request = requests.receive(contact, kind=PrivacyRequest.Kind.ERASURE, identity_check="a code", now=now)
    erasing.erase(requests.approve(request, by=None, now=now), now=now)

    answer = lookup.what_became_of(app.project, contact.id)

    assert (answer.fate, answer.erasure) == (Fate.DELETED, request)
    assert not ContactRemoval.objects.exists()


def test_a_deletion_that_fails_is_not_on_record_and_a_record_stays(app: App, now: datetime) -> None:
    make_contact(app.project, "46700000010")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        merging.delete_contact(Contact.objects.get(), now=now)
        _ = 1 / 0
    assert not ContactRemoval.objects.exists()
    merging.delete_contact(Contact.objects.get(), now=now)

    for change in (ContactRemoval.objects.all().delete, lambda: ContactRemoval.objects.update(identities=9)):
        with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
            change()
