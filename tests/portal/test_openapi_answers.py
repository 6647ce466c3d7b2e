"""The API answers as its schema says, to whatever it is asked: right requests and wrong ones, made up by schemathesis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from portal.openapi import document
from portal.openapi.operations import OPERATIONS
from tests.portal.openapi_world import World

pytestmark = pytest.mark.xdist_group("openapi")  # one worker makes ready what schemathesis needs

# Those whose requests take schemathesis long to make up.
SLOW = {
    *("createApp", "updateApp", "injectEvent", "injectMessage", "sendMessage", "transcodeMessage"),
    *("createTemplate", "replaceTemplate"),
}
METHODS = {line.id: method for lines in OPERATIONS.values() for (_, method), line in lines.items()}
QUICK = sorted(METHODS.keys() - SLOW)
READING = sorted(name for name, method in METHODS.items() if method == "get")
PROMISES = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """What schemathesis knows of each operation."""
    schema = schemathesis.openapi.from_dict(document.document())
    schema.app = WSGIHandler()
    schema.config.generation.allow_x00 = False  # refused everywhere, and there would be little else
    found = [one.ok() for one in schema.get_all_operations()]
    return {one.definition.raw["operationId"]: one for one in found}


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """All requests of a test in its transaction: their ends do not close the connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield World()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def holds(operation: Any, world: World, mode: GenerationMode, *, examples: int) -> None:
    """Ask so many times, and hold every answer against the schema."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        lead(case, world, mode)
        case.call_and_validate(headers=world.headers, checks=PROMISES)

    ask()


def lead(case: Case, world: World, mode: GenerationMode) -> None:
    """Have the request reach what is there: a made-up id tells little beyond 404."""
    case.path_parameters["project_id"] = world.ids["project_id"]
    if mode == GenerationMode.POSITIVE:
        case.path_parameters.update(named(case.path_parameters, world.places(case.path)))
        case.query, case.body = named(case.query, world.words), named(case.body, world.words)


def named(value: Any, there: dict[str, str]) -> Any:
    """The same, with what is there wherever a text of that name is asked for."""
    match value:
        case dict():
            return {
                name: there[name] if isinstance(inner, str) and name in there else named(inner, there)
                for name, inner in value.items()
            }
        case list():
            return [named(inner, there) for inner in value]
    return value


def closed(shape: Any) -> Any:
    """The same shape, whose objects have no other fields than it names."""
    match shape:
        case {"properties": _, "type": "object"} if "title" not in shape:  # titled are parts of a choice
            return {name: closed(inner) for name, inner in shape.items()} | {"unevaluatedProperties": False}
        case dict():
            return {name: closed(inner) for name, inner in shape.items()}
        case list():
            return [closed(inner) for inner in shape]
    return shape


def faults_of(name: str, world: World) -> list[str]:
    """Where the answer to this GET is not what the schema says, or more."""
    schema = document.document()
    [path] = [path for path, one in schema["paths"].items() if one.get("get", {}).get("operationId") == name]
    answer = schema["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    asked = {place: world.ids[place] for place in ("app_id", "conversation_id")}
    told = world.client.get(path.format_map(world.places(path)), asked)
    if told.status_code != 200:
        return [str(told.json())]
    whole = Draft202012Validator({**answer, "components": closed(schema["components"])})
    return [f"{fault.json_path}: {fault.message}" for fault in whole.iter_errors(told.json())]


def test_no_answer_has_a_field_that_the_schema_does_not_name(world: World) -> None:
    faults = {name: faults_of(name, world) for name in READING}

    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize("name", QUICK)
def test_an_operation_answers_as_the_schema_says(name: str, known: dict[str, Any], world: World) -> None:
    holds(known[name], world, GenerationMode.POSITIVE, examples=2)
    holds(known[name], world, GenerationMode.NEGATIVE, examples=2)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", QUICK)
def test_an_operation_answers_so_however_often_it_is_asked(
    name: str, known: dict[str, Any], world: World
) -> None:
    holds(known[name], world, GenerationMode.POSITIVE, examples=100)
    holds(known[name], world, GenerationMode.NEGATIVE, examples=100)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", sorted(SLOW))
def test_an_operation_with_a_large_body_answers_so_too(
    name: str, known: dict[str, Any], world: World
) -> None:
    holds(known[name], world, GenerationMode.POSITIVE, examples=50)
    holds(known[name], world, GenerationMode.NEGATIVE, examples=50)
