"""Rates are counted by all processes together, and by each alone while Redis is away."""

from __future__ import annotations

import base64
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from rest_framework.test import APIClient

from projects import keys
from projects.requests import rates
from projects.requests.rates import Counts, Permits
from tests.factories import api_client, make_project, path

DEAD = "redis://127.0.0.1:1/0"


@pytest.fixture
def clock():
    """A second that does not pass by itself."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        yield clock


def process() -> Permits:
    """What one more process would count with."""
    return Permits(Counts())


def taken(permits: Permits, subject: str, *, limit: int, tries: int) -> int:
    return sum(permits.take(subject, limit=limit) for _ in range(tries))


@pytest.mark.parametrize("limit", [1, 7, 800, 1234])
def test_two_processes_keep_one_limit(clock, limit):
    subject, one, other = str(uuid4()), process(), process()

    first = taken(one, subject, limit=limit, tries=limit // 2)
    second = taken(other, subject, limit=limit, tries=2 * limit)

    assert limit * 0.98 <= first + second <= limit
    assert not other.take(subject, limit=limit)


def test_many_threads_of_many_processes_get_no_more_than_the_limit(clock):
    subject, processes = str(uuid4()), [process() for _ in range(4)]

    with ThreadPoolExecutor(8) as threads:
        counts = [threads.submit(taken, processes[i % 4], subject, limit=800, tries=300) for i in range(8)]
        total = sum(count.result() for count in counts)

    assert total == 800


def test_the_next_second_has_its_own_permits(clock):
    subject, permits = str(uuid4()), process()
    assert taken(permits, subject, limit=3, tries=5) == 3

    clock.shift(timedelta(seconds=1))

    assert taken(permits, subject, limit=3, tries=5) == 3


def test_subjects_do_not_share_a_limit(clock):
    permits = process()

    assert taken(permits, str(uuid4()), limit=2, tries=3) == 2
    assert taken(permits, str(uuid4()), limit=2, tries=3) == 2


def test_without_redis_a_process_keeps_the_limit_alone_and_nobody_waits(clock, settings):
    settings.REDIS_URL = DEAD
    subject, permits, began_at = str(uuid4()), process(), time.perf_counter()

    assert taken(permits, subject, limit=800, tries=1000) == 800
    assert time.perf_counter() - began_at < 0.5


def test_a_redis_that_never_answers_costs_one_request_a_moment(settings):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.REDIS_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        permits, began_at = process(), time.perf_counter()

        assert taken(permits, str(uuid4()), limit=800, tries=200) == 200
        assert taken(permits, str(uuid4()), limit=800, tries=200) == 200

        assert time.perf_counter() - began_at < 0.4


def test_a_redis_that_failed_is_left_alone_and_then_asked_again(monkeypatch, settings):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(0.1)
        settings.REDIS_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        counts = Counts()
        assert counts.add("subject", 1, seconds=5) is counts.add("subject", 1, seconds=5) is None
        mute.accept()[0].close()
        with pytest.raises(TimeoutError):
            mute.accept()

        monkeypatch.setattr(rates, "SILENCE_SECONDS", 0.0)
        retrying = Counts()
        assert retrying.add("subject", 1, seconds=5) is retrying.add("subject", 1, seconds=5) is None
        for _ in range(2):
            mute.accept()[0].close()


@pytest.mark.django_db
def test_a_project_that_asks_too_often_is_told_when_to_come_again(clock, settings):
    settings.API_RATE_LIMIT = 3
    project, other = make_project(), make_project()
    client = api_client(project)

    answers = [client.get(path(project, "contacts")) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1]["retry-after"] == "1"
    assert answers[-1].json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert answers[-1].json()["error"]["code"] == 429
    assert api_client(other).get(path(other, "contacts")).status_code == 200


@pytest.mark.django_db
def test_all_keys_of_a_project_share_its_limit(clock, settings):
    settings.API_RATE_LIMIT = 2
    project = make_project()

    answers = [api_client(project).get(path(project, "contacts")).status_code for _ in range(3)]

    assert answers == [200, 200, 429]


@pytest.mark.django_db
def test_a_limit_of_0_is_none(clock, settings):
    settings.API_RATE_LIMIT = 0
    project = make_project()
    client = api_client(project)

    assert {client.get(path(project, "contacts")).status_code for _ in range(20)} == {200}


@pytest.mark.django_db
def test_a_stranger_does_not_use_up_a_project_s_requests(clock, settings):
    settings.API_RATE_LIMIT = 1
    project = make_project()

    for _ in range(5):
        assert APIClient().get(path(project, "contacts")).status_code == 401

    assert api_client(project).get(path(project, "contacts")).status_code == 200


def fetch_token(key_id: str, secret: str):
    client = APIClient()
    basic = base64.b64encode(f"{key_id}:{secret}".encode()).decode()
    client.credentials(HTTP_AUTHORIZATION=f"Basic {basic}")
    form = "application/x-www-form-urlencoded"
    return client.post("/oauth2/token", "grant_type=client_credentials", content_type=form)


@pytest.mark.django_db
def test_who_guesses_a_secret_is_stopped_and_its_owner_is_not(clock):
    key, secret = keys.issue(project=make_project())

    answers = [fetch_token(key.id, f"guess {n}") for n in range(12)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1]["retry-after"] == "60"
    assert answers[-1].json()["error_description"]
    assert fetch_token(key.id, secret).status_code == 200


@pytest.mark.django_db
def test_guesses_by_basic_on_other_paths_count_as_well(clock):
    project = make_project()
    key, _ = keys.issue(project=project)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Basic " + base64.b64encode(f"{key.id}:x".encode()).decode())

    answers = [client.get(path(project, "contacts")).status_code for _ in range(11)]

    assert answers == [401] * 10 + [429]


@pytest.mark.django_db
def test_tokens_count_as_requests_of_their_project(clock, settings):
    settings.API_RATE_LIMIT = 2
    key, secret = keys.issue(project=make_project())

    answers = [fetch_token(key.id, secret) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["retry-after"] == "1"
