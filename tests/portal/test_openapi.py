"""The schema says what the API does: all of it, nothing else, with examples that hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from portal.openapi import document, examples, operations
from portal.openapi.operations import Operation
from tests.test_docs import PROJECT, api_paths, rows
from webhooks.triggers import Trigger

METHODS = ("get", "post", "put", "patch", "delete")
LINES = [line for lines in operations.OPERATIONS.values() for line in lines.values()]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return document.document()


def described(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """`GET /apps/{app_id}` and so on, each with its operation."""
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                yield f"{method.upper()} {PROJECT.sub('', path.lstrip('/'))}", methods[method]


def faults(schema: dict[str, Any], shape: dict[str, Any], value: Any) -> list[str]:
    """Where the value is not what the shape says."""
    whole = {**shape, "components": schema["components"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(value)]


def references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": name}:
            yield name
        case dict():
            for inner in value.values():
                yield from references(inner)
        case list():
            for inner in value:
                yield from references(inner)


def test_every_operation_is_served_described_and_documented_and_no_other(schema: dict[str, Any]) -> None:
    served = api_paths() | {"POST oauth2/token"}
    in_schema = {name for name, _ in described(schema)}
    in_docs = {cells[0].replace(" /oauth2", " oauth2") for cells in rows("docs/api.md", header="path")}

    assert sorted(served - in_schema) == [], "These have no line in portal/openapi/operations.py"
    assert sorted(in_schema - served) == [], "No URL leads to these"
    assert sorted(in_schema - in_docs) == [], "These have no row in docs/api.md"


def test_every_line_of_the_table_is_in_the_schema_under_its_own_name(schema: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in described(schema)]

    assert sorted(names) == sorted(line.id for line in LINES)
    assert len(set(names)) == len(names)


def test_the_schema_is_valid_openapi_and_was_made_without_a_warning() -> None:
    made = SchemaGenerator().get_schema(public=True)

    assert not GENERATOR_STATS, list(GENERATOR_STATS._warn_cache) + list(GENERATOR_STATS._error_cache)
    assert made["openapi"].startswith("3.1")
    validate_schema(made)
    for shape in made["components"]["schemas"].values():
        Draft202012Validator.check_schema(shape)


def test_every_component_is_used_and_every_used_one_is_there(schema: dict[str, Any]) -> None:
    used = set(references(schema))

    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in schema["components"][kind]
    }

    assert used == there


def test_every_operation_says_what_a_client_must_know(schema: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in schema["tags"]}

    for name, operation in described(schema):
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name
        assert operation["security"], name
        assert {"200", "400", "401", "429", "500"} <= set(operation["responses"]), name


@pytest.mark.parametrize("line", list(operations.bodies_read()), ids=lambda line: line.id)
def test_every_example_of_a_request_is_accepted_by_its_serializer(
    line: Operation, schema: dict[str, Any]
) -> None:
    [operation] = [one for _, one in described(schema) if one["operationId"] == line.id]
    content = operation["requestBody"]["content"]["application/json"]

    assert content["examples"], "It has no example in portal/openapi/examples.py"
    for given in content["examples"].values():
        for body in line.body:
            read = body.read_named if line.is_masked else body.read
            assert read(given["value"]) is not None
        assert faults(schema, content["schema"], given["value"]) == []


def test_every_example_of_a_request_belongs_to_an_operation() -> None:
    assert set(examples.REQUESTS) == {line.id for line in operations.bodies_read()}


def test_every_example_of_an_answer_is_what_the_schema_says(schema: dict[str, Any]) -> None:
    for name, operation in described(schema):
        for code in operation["responses"].values():
            answer = (
                code if "content" in code else schema["components"]["responses"][code["$ref"].split("/")[-1]]
            )
            content = answer["content"]["application/json"]
            if "example" in content:
                assert faults(schema, content["schema"], content["example"]) == [], name


@pytest.mark.parametrize("trigger", Trigger)
def test_every_trigger_has_its_callback_with_a_sample(trigger: Trigger, schema: dict[str, Any]) -> None:
    content = schema["webhooks"][trigger]["post"]["requestBody"]["content"]["application/json"]

    assert "example" in content or schema["webhooks"][trigger]["post"]["deprecated"]
    assert faults(schema, content["schema"], content.get("example", {})) == []


def test_the_schema_is_public_as_json_and_as_yaml(client: Client) -> None:
    as_json = client.get("/api/schema/")
    as_yaml = client.get("/api/schema/", {"format": "yaml"})
    accepted = client.get("/api/schema/", headers={"accept": "application/yaml"})

    assert as_json["content-type"] == "application/json"
    assert as_json.json() == yaml.load(
        as_yaml.content, Loader=yaml.CSafeLoader
    )  # the plain one takes seconds
    assert as_yaml.content == accepted.content


def test_an_unchanged_schema_is_not_sent_twice(client: Client) -> None:
    first = client.get("/api/schema/")

    again = client.get("/api/schema/", headers={"if-none-match": first["etag"]})

    assert again.status_code == 304


def test_the_pages_load_nothing_from_elsewhere_and_nothing_inline(client: Client) -> None:
    page = client.get("/api/docs/")

    text = page.content.decode()
    assert page.status_code == 200
    assert "http" not in text
    assert "<style" not in text
    assert "style=" not in text
    assert text.count("<script") == text.count("<script defer src=")
    assert page["content-security-policy"].startswith("default-src 'self'")
