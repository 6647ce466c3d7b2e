"""A send that is repeated under its Idempotency-Key is no second send."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from conversations import idempotency
from conversations.deleting import delete_message
from conversations.models import Message, SentOnce
from outbox.models import Entry
from tests.factories import NOW, api_client, make_app, make_project, path

KEY = "order 4711, confirmation"


@pytest.fixture
def app(db):
    return make_app()


@pytest.fixture
def api(app):
    return api_client(app.project)


def request(app, text="hello"):
    identities = [{"channel": "SANDBOX", "identity": "46700000010"}]
    return {
        "app_id": app.id,
        "recipient": {"identified_by": {"channel_identities": identities}},
        "message": {"text_message": {"text": text}},
    }


def send(api, app, body=None, key=KEY, **more):
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post(
        path(app.project, "messages:send"), body or request(app), format="json", headers=headers, **more
    )


def test_the_same_request_under_the_same_key_is_sent_once(api, app):
    first, again = send(api, app), send(api, app)

    assert first.status_code == again.status_code == 200
    assert again.json() == first.json()
    assert Message.objects.count() == Entry.objects.count() == 1


def test_another_spelling_of_the_same_request_is_the_same(api, app):
    body = request(app)
    first = send(api, app, body)

    again = send(api, app, dict(reversed(body.items())))

    assert again.json() == first.json()
    assert Message.objects.count() == 1


def test_another_request_under_the_key_is_refused(api, app):
    send(api, app)

    answer = send(api, app, request(app, text="something else"))

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert "Idempotency-Key" in answer.json()["error"]["message"]
    assert Message.objects.count() == 1


def test_another_key_sends_another_message(api, app):
    assert send(api, app).json() != send(api, app, key="another").json()
    assert Message.objects.count() == 2


def test_without_a_key_every_request_is_sent(api, app):
    assert send(api, app, key=None).json() != send(api, app, key=None).json()
    assert not SentOnce.objects.exists()


def test_two_projects_may_use_the_same_key(api, app):
    other = make_app(make_project())
    first = send(api, app)

    answer = send(api_client(other.project), other)

    assert answer.status_code == 200
    assert answer.json() != first.json()


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x7fb"])
def test_a_key_is_1_to_255_printable_characters(api, app, key):
    answer = send(api, app, key=key)

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["fieldViolations"][0]["field"] == "Idempotency-Key"
    assert not Message.objects.exists()


def test_a_refused_request_leaves_its_key_unused(api, app):
    wrong = request(app) | {"recipient": {"contact_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}}
    assert send(api, app, wrong).status_code == 404

    assert send(api, app).status_code == 200


def test_after_a_day_a_key_may_be_used_anew(api, app):
    first = send(api, app)
    SentOnce.objects.update(accept_time=datetime.now(UTC) - timedelta(hours=24, seconds=1))

    second = send(api, app, request(app, text="something else"))

    assert second.status_code == 200
    assert second.json() != first.json()
    assert send(api, app, request(app, text="something else")).json() == second.json()


def test_old_keys_are_forgotten_and_young_ones_kept(api, app):
    send(api, app)
    now = datetime.now(UTC)

    idempotency.forget(now=now + timedelta(hours=23))
    assert SentOnce.objects.count() == 1
    idempotency.forget(now=now + timedelta(hours=25))

    assert not SentOnce.objects.exists()
    assert Message.objects.count() == 1


def test_a_key_goes_with_its_message(api, app):
    send(api, app)

    delete_message(Message.objects.get(), by_key="", now=NOW)

    assert not SentOnce.objects.exists()


def test_neither_the_key_nor_the_request_is_kept_in_clear(api, app):
    send(api, app)

    kept = SentOnce.objects.values().get()
    assert len(bytes(kept["key_hash"])) == len(bytes(kept["body_hash"])) == 32
    assert KEY not in str(kept)


def queries(work) -> int:
    with CaptureQueriesContext(connection) as context:
        work()
    return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in context)


def test_a_key_costs_two_queries_more(api, app):
    send(api, app, key=None)  # opens the lane, makes the contact
    without = queries(lambda: send(api, app, key=None))

    assert queries(lambda: send(api, app)) == without + 2
    assert queries(lambda: send(api, app, key=None)) == without


def in_thread(threads, work):
    def run():
        try:
            return work()
        finally:
            connection.close()

    return threads.submit(run)


def is_waiting() -> bool:
    """Whether somebody waits for another transaction to end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)"
        )
        return bool(cursor.fetchone()[0])


def wait_for(is_so):
    end = time.monotonic() + 5
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    assert is_so()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_the_second_waits_and_gets_the_first_answer(app):
    one, other = api_client(app.project), api_client(app.project)

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            first = send(one, app)
            second = in_thread(threads, lambda: send(other, app))
            wait_for(is_waiting)
        assert second.result(5).json() == first.json()

    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_the_second_sends_when_the_first_fails(app):
    one, other = api_client(app.project), api_client(app.project)

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            send(one, app)
            second = in_thread(threads, lambda: send(other, app))
            wait_for(is_waiting)
            transaction.set_rollback(True)
        assert second.result(5).status_code == 200

    assert Message.objects.get().id == second.result().json()["message_id"]


@pytest.mark.django_db(transaction=True)
def test_a_storm_of_the_same_request_sends_one_message(app):
    barrier = threading.Barrier(8)

    def one():
        api = api_client(app.project)
        barrier.wait()
        return send(api, app)

    with ThreadPoolExecutor(8) as threads:
        answers = [answer.result() for answer in [in_thread(threads, one) for _ in range(8)]]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert Message.objects.count() == Entry.objects.count() == 1
